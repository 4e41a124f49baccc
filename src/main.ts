import { watchStdout } from './cli/output.ts';
import { reportBug, runCli } from './cli/program.ts';

// Node would print the error's message, which may quote a row.
process.on('uncaughtException', (error) => {
  reportBug(error);
  process.exit(1);
});
watchStdout();
process.exitCode = await runCli(process.argv, process.env);
