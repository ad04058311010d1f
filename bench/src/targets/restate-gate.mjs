// A gate as one writes it with Restate: the handler makes an awakeable, tells its id, and suspends until it is resolved.
import { createServer } from 'node:http2';
import { createEndpointHandler, service } from '@restatedev/restate-sdk';

const gate = service({
  name: 'gate',
  handlers: {
    ask: async (ctx, token) => {
      const { id, promise } = ctx.awakeable();
      await ctx.run('tell the id', () => void process.send({ token, id }));
      return promise;
    },
  },
});

createServer(createEndpointHandler({ services: [gate] })).listen(Number(process.argv[2]), '127.0.0.1', () =>
  process.send({ ready: true }),
);
