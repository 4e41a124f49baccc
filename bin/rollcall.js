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
  keepYoungGenerationSmall();
  Promise.all([import('node:module'), import('node:url')]).then((modules) => {
    // What a program of several hundred files is compiled to is kept: starting takes half the time. For processes and
    // threads that this one starts as well; where the folder cannot be written, nothing is kept.
    var folder = modules[1].fileURLToPath(new URL('../node_modules/.cache/rollcall', import.meta.url));
    process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || folder;
    modules[0].enableCompileCache(process.env.NODE_COMPILE_CACHE);
    return import('../src/main.ts');
  });
}

/**
 * V8 lets the space of new objects grow to 48 MB before it looks what of them is still used; with half of that a
 * server takes 40 MB less and is as fast. It has to be told at its start, so this process starts Node anew in its own
 * place, which takes 20 ms. Where that cannot be done (Windows), it goes on as it is.
 */
function keepYoungGenerationSmall() {
  var flag = '--max-semi-space-size';
  var told = process.execArgv.concat(process.env.NODE_OPTIONS || '').some((each) => each.includes(flag));
  if (told || process.platform === 'win32') return;
  var args = [process.execPath, `${flag}=8`].concat(process.execArgv, process.argv.slice(1));
  try {
    process.execve(process.execPath, args, process.env);
  } catch {
    // It needs more memory, that is all.
  }
}
