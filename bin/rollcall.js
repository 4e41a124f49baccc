#!/usr/bin/env node
// Plain old JavaScript, so that a Node too old for Rollcall can still read it and say what to do.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'rollcall: needs Node 24 or newer, this is ' +
      process.version +
      '; run it as "npx rollcall" in the checkout (it brings its own Node) or install Node 24',
  );
  process.exit(1);
} else {
  Promise.all([import('node:module'), import('node:url')]).then((modules) => {
    // What a program of several hundred files is compiled to is kept: starting takes half the time. For processes and
    // threads that this one starts as well; where the folder cannot be written, nothing is kept.
    process.env.NODE_COMPILE_CACHE ??= modules[1].fileURLToPath(
      new URL('../node_modules/.cache/rollcall', import.meta.url),
    );
    modules[0].enableCompileCache(process.env.NODE_COMPILE_CACHE);
    return import('../src/main.ts');
  });
}
