import { conformanceCases, type DrivenClient, ScriptedServer } from './kit/conformance.js';
import { pythonClient } from './kit/python-client.js';
import { typescriptClient } from './kit/typescript-client.js';

/** Every client of this repository behaves the same in every case (clients/conformance/README.md). */
const clients: readonly { readonly name: string; readonly start: () => Promise<DrivenClient> }[] = [
  { name: 'TypeScript', start: () => Promise.resolve(typescriptClient) },
  { name: 'Python', start: pythonClient },
];

let server: ScriptedServer;
beforeAll(async () => (server = await ScriptedServer.start()));
afterAll(() => server.stop());

describe.each(clients)('the client in $name', ({ start }) => {
  let client: DrivenClient;
  beforeAll(async () => (client = await start()), 300_000);
  afterAll(() => client.stop());

  describe.each(conformanceCases())('$subject', ({ cases }) => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      const { got, faults } = await server.run(one, client);
      expect(faults).toEqual([]);
      if (one.raises === undefined) expect(got).toMatchObject({ result: one.returns });
      else expect(got).toMatchObject({ error: one.raises });
    });
  });
});
