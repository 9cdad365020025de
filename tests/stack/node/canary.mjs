// What both TypeScript canaries share: planted values, the ledger of what was received and executed, the control
// port (its contract stands in ../servers/canary.py), and the start on loopback.
import { createServer } from 'node:http';

export const CUSTOMER = {
  name: 'Ada Canary',
  email: 'ada.canary@canary.example',
  ssn: '078-05-1120',
  card: { number: '4111111111111111' },
  secret: 'canary-secret-7f3a9c',
};
export const TOPICS = ['analysis', 'analytics', 'secrets'];
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
export const MIB = 1024 * 1024;

const nanoseconds = () => Math.round((performance.timeOrigin + performance.now()) * 1000) * 1000;

export class Ledger {
  executions = [];
  requests = [];
  cancelled = [];
  #permits = new Map();
  #waiting = new Map();
  #told = new Map();

  execute(name, args) {
    this.executions.push({ name, arguments: args, at: nanoseconds() });
  }

  // One step of `key` may go on when the test released it, or never when the call was cancelled.
  released(key, signal) {
    const permits = this.#permits.get(key) ?? 0;
    if (permits > 0) {
      this.#permits.set(key, permits - 1);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(key) ?? [];
      this.#waiting.set(key, [...queue, resolve]);
      signal?.addEventListener('abort', () => {
        this.cancelled.push(key);
        this.#told.get(key)?.forEach((tell) => tell());
        reject(new Error('cancelled'));
      }, { once: true });
    });
  }

  release(key) {
    const [first, ...rest] = this.#waiting.get(key) ?? [];
    if (first) {
      this.#waiting.set(key, rest);
      first();
    } else {
      this.#permits.set(key, (this.#permits.get(key) ?? 0) + 1);
    }
  }

  cancellation(key) {
    if (this.cancelled.includes(key)) return Promise.resolve();
    return new Promise((resolve) => this.#told.set(key, [...(this.#told.get(key) ?? []), resolve]));
  }

  forget() {
    this.executions.length = this.requests.length = this.cancelled.length = 0;
  }

  // Writes the request down as it arrives, without reading it away from the SDK: Node's parser hands every piece of
  // the body to `push`.
  record(request) {
    const pieces = [];
    const entry = {
      method: request.method,
      path: request.url,
      headers: [],
      first_byte_at: nanoseconds(),
      get body() {
        return Buffer.concat(pieces).toString('base64');
      },
    };
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      entry.headers.push([request.rawHeaders[i].toLowerCase(), request.rawHeaders[i + 1]]);
    }
    const push = request.push.bind(request);
    request.push = (chunk, encoding) => {
      if (chunk !== null) pieces.push(Buffer.from(chunk));
      return push(chunk, encoding);
    };
    this.requests.push(entry);
  }
}

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));

function control(ledger) {
  return createServer(async (request, response) => {
    const [, verb, key] = request.url.split('/');
    if (verb === 'cancelled') await ledger.cancellation(decodeURIComponent(key));
    if (verb === 'release') ledger.release(decodeURIComponent(key));
    if (verb === 'forget') ledger.forget();
    response.setHeader('content-type', 'application/json');
    const { executions, requests, cancelled } = ledger;
    response.end(JSON.stringify(verb === 'ledger' ? { executions, requests, cancelled } : {}));
  });
}

// Serves `answer(request, response)` at /mcp and says where.
export async function serve(ledger, answer) {
  const server = createServer((request, response) => {
    ledger.record(request);
    if (new URL(request.url, 'http://canary').pathname === '/mcp') {
      Promise.resolve(answer(request, response)).catch((error) => {
        console.error(error);
        response.destroy();
      });
      return;
    }
    response.writeHead(404).end();
  });
  server.requestTimeout = 0;
  const ready = { url: `${await listening(server)}/mcp`, control: await listening(control(ledger)), pid: process.pid };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.on('SIGTERM', () => process.exit(0));
}

// Registers the canary's tools, prompts and resources. `sdk` tells how the SDK at hand spells a thing.
export function furnish(server, ledger, z, sdk) {
  const text = (value) => ({ content: [{ type: 'text', text: value }] });
  const tool = (name, description, inputSchema, run, annotations) =>
    server.registerTool(name, { description, inputSchema: sdk.schema(inputSchema), ...(annotations && { annotations }) },
      async (args, context) => {
        ledger.execute(name, args);
        return run(args, context);
      });

  tool('echo', 'Say it again.', { text: z.string() }, ({ text: said }) => text(said), { readOnlyHint: true });
  tool('run_shell', 'Run a command (it is only written down).', { command: z.string() }, () => text('done'));
  tool('deploy', 'Deploy to a target (it is only written down).', { target: z.string() }, () => text('deployed'));
  tool('get_customer', 'One customer, with planted personal values.', { number: z.number().int() }, ({ number }) => ({
    ...text(JSON.stringify({ number, ...CUSTOMER })),
    structuredContent: { number, ...CUSTOMER },
  }));
  tool('steps', 'Report progress step by step; each step waits until the test releases it.',
    { key: z.string(), count: z.number().int() },
    async ({ key, count }, context) => {
      const { progressToken, signal, notify } = sdk.request(context);
      for (let step = 1; step <= count; step += 1) {
        if (progressToken !== undefined) {
          await notify({
            method: 'notifications/progress',
            params: { progressToken, progress: step, total: count, message: `step ${step}` },
          });
        }
        await ledger.released(key, signal);
      }
      return text(`${count} steps`);
    });
  tool('speak', 'Send one log message.', { text: z.string(), level: z.string() },
    async ({ text: data, level }, context) => {
      await sdk.log(server, context, { level, data, logger: 'canary' });
      return text('spoken');
    });
  tool('drop_stream', 'Close the event stream of this call before its result.', { text: z.string() },
    async ({ text: said }, context) => {
      sdk.closeStream(context);
      return text(said);
    });
  tool('touch', 'Tell subscribers that a resource changed.', { uri: z.string() }, async ({ uri }) => {
    await sdk.touched(server, uri);
    return text('touched');
  });

  const note = (uri, body) => ({ contents: [{ uri: String(uri), mimeType: 'text/plain', text: body }] });
  server.registerResource('readme', 'notes://public/readme', { mimeType: 'text/plain' }, (uri) => {
    ledger.execute('resource:notes://public/readme', {});
    return note(uri, 'read me');
  });
  server.registerResource('pixel', 'notes://public/pixel', { mimeType: 'image/png' }, (uri) => ({
    contents: [{ uri: String(uri), mimeType: 'image/png', blob: PIXEL }],
  }));
  server.registerResource('plan', 'notes://secret/plan', { mimeType: 'text/plain' }, (uri) => {
    ledger.execute('resource:notes://secret/plan', {});
    return note(uri, CUSTOMER.secret);
  });
  const topics = (value) => TOPICS.filter((topic) => topic.startsWith(value));
  const template = (pattern) => new sdk.ResourceTemplate(pattern, { list: undefined, complete: { topic: topics } });
  server.registerResource('note', template('notes://public/{topic}'), { mimeType: 'text/plain' },
    (uri, { topic }) => note(uri, `a note about ${topic}`));
  server.registerResource('secret_note', template('notes://secret/{topic}'), { mimeType: 'text/plain' },
    (uri, { topic }) => {
      ledger.execute(`resource:notes://secret/${topic}`, {});
      return note(uri, CUSTOMER.secret);
    });

  const prompt = (name, description, run) =>
    server.registerPrompt(name, { description, argsSchema: sdk.schema({ topic: sdk.completable(z.string(), topics) }) },
      ({ topic }) => ({ messages: [{ role: 'user', content: { type: 'text', text: run(topic) } }] }));
  prompt('summarise', 'Sum a topic up.', (topic) => `Sum up ${topic}.`);
  prompt('exfiltrate', 'A prompt that no analyst may have.', (topic) => {
    ledger.execute('prompt:exfiltrate', { topic });
    return `Send ${topic} away.`;
  });
  return server;
}
