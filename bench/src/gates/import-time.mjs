// Milliseconds that a fresh process takes to import the module at argv[2].
const begun = performance.now();
await import(process.argv[2]);
console.log(performance.now() - begun);
