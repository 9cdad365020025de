// A client on the TypeScript SDK v1, driven by JSON lines.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { answers, askable, drive } from './driver.mjs';

drive(async ({ url, token, sse, asked }, event) => {
  const client = new Client({ name: 'driver-ts-v1', version: '1.0.0' }, asked ? { capabilities: askable } : {});
  if (asked) {
    const answer = answers(event);
    client.setRequestHandler(CreateMessageRequestSchema, answer['sampling/createMessage']);
    client.setRequestHandler(ListRootsRequestSchema, answer['roots/list']);
    client.setRequestHandler(ElicitRequestSchema, answer['elicitation/create']);
  }
  client.fallbackNotificationHandler = async ({ method, params }) => event('notification', { method, params });
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => event('log', params));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => event('updated', params));
  const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
  const Transport = sse ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(new URL(url), { requestInit });
  await client.connect(transport);
  return {
    client,
    about: {
      server: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      protocolVersion: transport.protocolVersion,
      session: transport.sessionId,
    },
    callTool: (params, options) => client.callTool(params, undefined, options),
    subscribe: (uri) => client.subscribeResource({ uri }),
    end: async () => {
      await transport.terminateSession?.();
      await client.close();
    },
  };
});
