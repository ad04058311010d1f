export { eventually } from './eventually.js';
export { type MailServer, mailServer } from './mail-server.js';
export { notRun } from './not-run.js';
export { type PlayedSource, playSource, type Said } from './play-source.js';
export { startNats, type TestNats } from './start-nats.js';
export { startPostgres, type TestPostgres } from './start-postgres.js';
export { type Stack, type StackOptions, startStack } from './start-stack.js';
export { type TestPremises, testPremises } from './test-premises.js';
export { type Received, type WebhookReceiver, webhookReceiver } from './webhook-receiver.js';
