// A client on the TypeScript SDK v2, driven by JSON lines; `mode` is legacy, auto or a revision to insist on.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { answers, askable, drive } from './driver.mjs';

const LEVEL = 'io.modelcontextprotocol/logLevel';

drive(async ({ url, token, mode, logLevel, asked }, event) => {
  const negotiation = { legacy: undefined, auto: { mode: 'auto' } };
  const versionNegotiation = mode in negotiation ? negotiation[mode] : { mode: { pin: mode } };
  const options = { ...(versionNegotiation && { versionNegotiation }), ...(asked && { capabilities: askable }) };
  const client = new Client({ name: 'driver-ts-v2', version: '1.0.0' }, options);
  for (const [method, answer] of asked ? Object.entries(answers(event)) : []) client.setRequestHandler(method, answer);
  client.fallbackNotificationHandler = async ({ method, params }) => event('notification', { method, params });
  client.setNotificationHandler('notifications/message', ({ params }) => event('log', params));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => event('updated', params));
  const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit });
  await client.connect(transport);
  const revision = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
  const modern = revision === '2026-07-28';
  const subscriptions = [];
  return {
    client,
    about: {
      server: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      protocolVersion: revision,
      session: transport.sessionId,
    },
    callTool: (params, options) =>
      client.callTool(modern && logLevel ? { ...params, _meta: { [LEVEL]: logLevel } } : params, options),
    subscribe: async (uri) => {
      if (!modern) return client.subscribeResource({ uri });
      subscriptions.push(await client.listen({ resourceSubscriptions: [uri] }));
      return {};
    },
    end: async () => {
      await Promise.all(subscriptions.map((each) => each.close()));
      if (!modern) await transport.terminateSession?.();
      await client.close();
    },
  };
});
