// Opens gates in one process and prints the bytes of memory that one takes. argv: the SDK, the server's address, how many.
const [, , sdk, baseUrl, count] = process.argv;
const { AgentLattice } = await import(sdk);
const al = new AgentLattice({ apiKey: 'al_agent_bench', baseUrl });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const held = async () => Number(await (await fetch(`${baseUrl}/held`)).text());
const open = (n) => {
  for (let i = 0; i < n; i++)
    al.gate('bench.approve', { metadata: { service: 'api', n: i } }).catch(() => undefined);
};
const until = async (n) => {
  for (let i = 0; i < 600 && (await held()) < n; i++) await pause(100);
  if ((await held()) < n) throw new Error(`${String(await held())} of ${String(n)} gates arrived`);
};
const used = () => {
  globalThis.gc();
  return process.memoryUsage().rss;
};
// What the first ones load is not counted.
open(100);
await until(100);
const before = used();
for (let opened = 0; opened < count; opened += 500) {
  open(500);
  await until(100 + opened + 500);
}
console.log(JSON.stringify({ bytes: (used() - before) / count, rss: used() }));
process.exit();
