import { MIGRATIONS, migrate } from '../../src/store/migrations/index.ts';
import { openEngine } from '../../src/store/open.ts';

/**
 * Brings a store up to date as the program does, and stops before a statement:
 * node migrating.ts FOLDER URL|- LAST STATEMENT kill|wait
 */
const [data = '', url, last, statement, how] = process.argv.slice(2);
const { engine, flavor } = await openEngine({
  data,
  ...(url === '-' ? {} : { databaseUrl: url }),
  cacheMiB: 8,
});
let ran = 0;
await migrate(
  {
    read: (...args) => engine.read(...args),
    isParallel: engine.isParallel,
    mark: () => engine.mark(),
    era: () => engine.era(),
    close: () => engine.close(),
    transaction: (contactCenters, work) =>
      engine.transaction(contactCenters, (transaction) =>
        work({
          ...transaction,
          async run(...args) {
            if (ran === Number(statement)) {
              if (how === 'kill') process.kill(process.pid, 'SIGKILL');
              process.stdout.write('waiting\n');
              await new Promise((resolve) => process.stdin.once('data', resolve));
            }
            ran += 1;
            await transaction.run(...args);
          },
        }),
      ),
  },
  flavor,
  1,
  MIGRATIONS.slice(0, Number(last)),
);
await engine.close();
process.stdout.write(`ran ${ran}\n`);
process.exit(0);
