// The JSON-lines protocol of the client drivers, one body for both SDKs.
// In:  {"id", "command", …parameters}      Out: {"id", "ok"} | {"id", "error": {type, code, status, message, data}}
//      and, at any time, {"event": "progress" | "log" | "updated" | "notification" | "asked", …}
import { createInterface } from 'node:readline';

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const calls = new Map();

const described = (error) => ({
  type: error?.constructor?.name ?? typeof error,
  code: error?.code ?? null,
  status: error?.status ?? error?.data?.status ?? (Number.isInteger(error?.code) && error.code > 99 && error.code < 600 ? error.code : null),
  message: String(error?.message ?? error),
  data: error?.data ?? null,
});

async function all(key, page) {
  const found = [];
  let cursor;
  let pages = 0;
  let first;
  do {
    const result = await page(cursor === undefined ? {} : { cursor });
    first ??= result;
    found.push(...result[key]);
    cursor = result.nextCursor;
    pages += 1;
  } while (cursor !== undefined);
  return { ...first, [key]: found, nextCursor: undefined, pages };
}

// What a client announces that can be asked, and its answers: yes to all, each told as an event.
export const askable = { sampling: {}, roots: {}, elicitation: { form: {}, url: {} } };
export const answers = (event) => {
  const told = (method, answer) => async ({ params }) => {
    event('asked', { method, params });
    return answer;
  };
  const content = { type: 'text', text: 'sampled' };
  return {
    'sampling/createMessage': told('sampling/createMessage', { role: 'assistant', model: 'm', content }),
    'roots/list': told('roots/list', { roots: [] }),
    'elicitation/create': told('elicitation/create', { action: 'accept', content: { name: 'Ann', username: 'ann', email: 'a' } }),
  };
};

// `connect({url, token, mode, logLevel}, event)` gives {client, about, subscribe(uri), end()}.
export function drive(connect) {
  let session;
  const event = (kind, value) => say({ event: kind, ...value });
  const commands = {
    connect: async (given) => {
      session = await connect(given, event);
      return session.about;
    },
    listTools: (_, options) => all('tools', (page) => session.client.listTools(page, options)),
    listResources: (_, options) => all('resources', (page) => session.client.listResources(page, options)),
    listResourceTemplates: (_, options) =>
      all('resourceTemplates', (page) => session.client.listResourceTemplates(page, options)),
    listPrompts: (_, options) => all('prompts', (page) => session.client.listPrompts(page, options)),
    callTool: ({ id, name, arguments: args }, options) =>
      session.callTool({ name, arguments: args }, {
        ...options,
        onprogress: (progress) => event('progress', { call: id, ...progress }),
      }),
    readResource: ({ uri }, options) => session.client.readResource({ uri }, options),
    getPrompt: ({ name, arguments: args }, options) => session.client.getPrompt({ name, arguments: args }, options),
    complete: ({ ref, argument, context }, options) =>
      session.client.complete({ ref, argument, ...(context && { context }) }, options),
    subscribe: ({ uri }) => session.subscribe(uri),
    setLevel: ({ level }, options) => session.client.setLoggingLevel(level, options),
    ping: (_, options) => session.client.ping(options),
    cancel: ({ call }) => {
      calls.get(call)?.abort('the test cancelled it');
      return {};
    },
    close: async () => {
      await session?.end();
      return {};
    },
  };
  const run = async (line) => {
    const given = JSON.parse(line);
    const abort = new AbortController();
    calls.set(given.id, abort);
    try {
      const options = { signal: abort.signal, timeout: given.timeout ?? 60_000 };
      say({ id: given.id, ok: (await commands[given.command](given, options)) ?? {} });
    } catch (error) {
      say({ id: given.id, error: described(error) });
    } finally {
      calls.delete(given.id);
    }
  };
  createInterface({ input: process.stdin }).on('line', run).on('close', () => process.exit(0));
  say({ pid: process.pid });
}
