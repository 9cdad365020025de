// U-ts: the canary on the TypeScript SDK v1: legacy era, sessions, resumption.
import { randomUUID } from 'node:crypto';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod/v4';
import { furnish, Ledger, serve } from './canary.mjs';

const ledger = new Ledger();
const sessions = new Map();

class Events {
  #events = [];

  async storeEvent(stream, message) {
    this.#events.push([stream, message]);
    return String(this.#events.length);
  }

  async getStreamIdForEventId(id) {
    return this.#events[Number(id) - 1]?.[0];
  }

  async replayEventsAfter(id, { send }) {
    const stream = this.#events[Number(id) - 1]?.[0];
    for (let i = Number(id); i < this.#events.length; i += 1) {
      const [owner, message] = this.#events[i];
      if (owner === stream && message && 'jsonrpc' in message) await send(String(i + 1), message);
    }
    return stream;
  }
}

const sdk = {
  schema: (shape) => shape,
  completable,
  ResourceTemplate,
  request: (extra) => ({
    progressToken: extra._meta?.progressToken,
    signal: extra.signal,
    notify: extra.sendNotification,
  }),
  log: (_, extra, params) => extra.sendNotification({ method: 'notifications/message', params }),
  closeStream: (extra) => extra.closeSSEStream?.(),
  touched: (server, uri) => server.server.sendResourceUpdated({ uri }),
};

function build() {
  const server = new McpServer({ name: 'canary-ts-v1', version: '1.0.0' },
    { capabilities: { logging: {}, resources: { subscribe: true } } });
  server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  return furnish(server, ledger, z, sdk);
}

await serve(ledger, async (request, response) => {
  const named = request.headers['mcp-session-id'];
  let transport = sessions.get(named);
  if (!transport && named) {
    response.writeHead(404, { 'content-type': 'application/json' })
      .end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
    return;
  }
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 50,
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    });
    await build().connect(transport);
  }
  await transport.handleRequest(request, response);
});
