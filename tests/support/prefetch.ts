import { findMongod } from './servers/mongod-binary.ts';
import { mongoshArchive } from './servers/mongosh.ts';

/** Run before the tests, so that none of them waits for a download. */
for (const fetch of [findMongod, mongoshArchive]) {
  await fetch().then(
    (path) => console.log(path),
    (error: unknown) => console.log(error instanceof Error ? error.message : error),
  );
}
