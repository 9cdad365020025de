// Preload (node --import): every listener of a third-party server binds 127.0.0.1, whatever it asked for, and says
// its port as one JSON line.
import { Server } from 'node:net';

const listen = Server.prototype.listen;
let announced = false;
Server.prototype.listen = function (...args) {
  const callback = args.find((each) => typeof each === 'function');
  const port = typeof args[0] === 'object' && args[0] !== null ? args[0].port : args[0];
  this.once('listening', () => {
    if (!announced) {
      announced = true;
      process.stdout.write(`${JSON.stringify({ port: this.address().port, pid: process.pid })}\n`);
    }
  });
  return listen.call(this, { port: Number(port) || 0, host: '127.0.0.1' }, callback);
};
