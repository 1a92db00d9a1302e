/**
 * The import rules of docs/ARCHITECTURE.md. A folder may import the folders below it, never a sibling of its own layer:
 *   lib <- config <- seam <- { fleet, dispatch } <- drivers and front doors <- app.ts, main.ts, cli
 */
const below = {
  lib: [],
  config: ['lib'],
  seam: ['lib', 'config'],
  fleet: ['lib', 'config', 'seam'],
  dispatch: ['lib', 'config', 'seam'],
  proxy: ['lib', 'config', 'seam', 'dispatch'],
  link: ['lib', 'config', 'seam'],
  tls: ['lib', 'config'],
  probes: ['lib', 'config', 'seam', 'fleet'],
  runtimes: ['lib', 'config', 'seam', 'fleet'],
  stores: ['lib', 'config', 'seam', 'fleet'],
  messaging: ['lib', 'config', 'seam', 'fleet'],
  management: ['lib', 'config', 'seam', 'fleet'],
  metrics: ['lib', 'config', 'seam', 'fleet'],
  cli: ['lib', 'config', 'tls', 'runtimes', 'stores', 'management/contract', 'fleet'],
};

const layering = Object.entries(below).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-what-lies-below`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`) },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...layering,
    {
      name: 'fleet-and-dispatch-use-no-npm-package-and-do-no-io',
      comment: 'Deciding is kept apart from doing: time comes through a Clock, I/O through an interface.',
      severity: 'error',
      from: { path: '^src/(fleet|dispatch)/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: '^(crypto|node:crypto|events|node:events)$' },
    },
    {
      name: 'only-the-docker-driver-knows-dockerode',
      severity: 'error',
      from: { pathNot: '^src/runtimes/docker/' },
      to: { path: 'node_modules/dockerode' },
    },
    {
      name: 'only-its-store-knows-mongodb',
      severity: 'error',
      from: { pathNot: '^src/stores/mongo/' },
      to: { path: 'node_modules/mongodb/' },
    },
    {
      name: 'drivers-of-one-kind-are-strangers',
      severity: 'error',
      from: { path: '^src/runtimes/(docker|process)/' },
      to: { path: '^src/runtimes/(docker|process)/', pathNot: '^src/runtimes/$1/' },
    },
    {
      name: 'nothing-imports-the-composition-root',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(composition/|[^/]+\\.ts$)' },
      to: { path: '^src/(composition/|[^/]+\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
