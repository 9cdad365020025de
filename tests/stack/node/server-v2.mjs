// The canary on the TypeScript SDK v2: both eras on one endpoint, no sessions.
import { toNodeHandler } from '@modelcontextprotocol/node';
import { completable, createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { furnish, Ledger, serve } from './canary.mjs';

const ledger = new Ledger();

const sdk = {
  schema: (shape) => z.object(shape),
  completable,
  ResourceTemplate,
  request: ({ mcpReq }) => ({
    progressToken: mcpReq._meta?.progressToken,
    signal: mcpReq.signal,
    notify: mcpReq.notify,
  }),
  log: (_, { mcpReq }, { level, data, logger }) => mcpReq.log(level, data, logger),
  closeStream: ({ http }) => http?.closeSSE?.(),
  touched: (_, uri) => handler.notify.resourceUpdated(uri),
};

const handler = createMcpHandler(() =>
  furnish(
    new McpServer({ name: 'canary-ts-v2', version: '1.0.0' },
      { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } }),
    ledger, z, sdk));

await serve(ledger, toNodeHandler(handler));
