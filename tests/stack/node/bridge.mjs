// A stdio bridge: each session of Streamable HTTP on loopback gets its own stdio server. `node bridge.mjs SCRIPT ARG…`
import { randomUUID } from 'node:crypto';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Ledger, serve } from './canary.mjs';

const [, , script, ...args] = process.argv;
const sessions = new Map();

async function open() {
  const stdio = new StdioClientTransport({ command: process.execPath, args: [script, ...args], stderr: 'ignore' });
  const http = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, { http, stdio }),
    onsessionclosed: async (id) => {
      sessions.delete(id);
      await stdio.close();
    },
  });
  http.onmessage = (message) => stdio.send(message);
  stdio.onmessage = (message) => http.send(message);
  await stdio.start();
  await http.start();
  return http;
}

process.on('exit', () => {
  for (const { stdio } of sessions.values()) {
    if (stdio.pid) process.kill(stdio.pid);
  }
});

await serve(new Ledger(), async (request, response) => {
  const named = request.headers['mcp-session-id'];
  if (named && !sessions.has(named)) {
    response.writeHead(404).end();
    return;
  }
  const http = sessions.get(named)?.http ?? (await open());
  await http.handleRequest(request, response);
});
