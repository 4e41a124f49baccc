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
  import('../src/main.ts');
}
