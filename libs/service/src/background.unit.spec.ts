import { Background } from './background.js';

it('a service has started only when its background work says so, and then stops it', async () => {
  const { promise: policiesAreRead, resolve: read } = Promise.withResolvers<undefined>();
  const said: string[] = [];
  const background = new Background(async () => {
    await policiesAreRead;
    said.push('read');
    return [
      {
        stop: () => {
          said.push('stopped');
          return Promise.resolve();
        },
      },
    ];
  });
  const started = background.onApplicationBootstrap().then(() => said.push('started'));
  read(undefined);
  await started;
  await background.onApplicationShutdown();
  expect(said).toEqual(['read', 'started', 'stopped']);
});
