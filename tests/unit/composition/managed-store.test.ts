import { describe, expect, it } from 'vitest';
import { managedStore } from '../../../src/composition/managed-store.ts';
import { manifestOf } from '../config/manifest-context.ts';

describe('the database that Reveille keeps its own state in', () => {
  const mongodb = { image: 'mongo:8', port: 27_017, replicaSet: 'rs0', publish: ['127.0.0.1:27017:27017'] };
  const manifest = manifestOf({ web: { image: 'nginx', port: 27_017 }, mongodb });

  it.each<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ['mongodb://mongoadmin:secret@localhost:27017/?replicaSet=rs0', 'mongodb'],
    ['mongodb://127.0.0.1', 'mongodb'],
    ['mongodb://[::1]:27017/db', 'mongodb'],
    ['mongodb://mongodb.example.test:27017', 'mongodb'],
    ['mongodb://localhost:27018', undefined],
    ['mongodb://db.example.org:27017', undefined],
    ['mongodb+srv://cluster.example.org', undefined],
    ['mongodb://a:27017,b:27017/?replicaSet=rs0', undefined],
  ])('at %s is run by %s', (uri, service) => {
    expect(managedStore(manifest, uri, 'example.test')).toBe(service);
  });
});
