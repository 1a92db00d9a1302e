import { isOfProject, projectLabels } from '../labels.ts';
import type { Engine } from './engine/engine.ts';
import { statusOf } from './engine/errors.ts';

export interface Removed {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
}

/** The filter of the API again, by our own rule: nothing is removed on the engine's word alone. */
type Ours = <T extends { readonly Labels?: Readonly<Record<string, string>> | null | undefined }>(
  items: readonly T[],
) => T[];

type Remove = (abortSignal: AbortSignal) => Promise<unknown>;

/** Removes each, and tells which are gone; one that is in use by somebody else stays. */
async function removeEach<T>(
  engine: Engine,
  items: readonly T[],
  nameOf: (item: T) => string,
  remove: (item: T) => Remove,
): Promise<string[]> {
  const removed: string[] = [];
  for (const item of items) {
    try {
      await engine.call(remove(item), 60_000);
      removed.push(nameOf(item));
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
    }
  }
  return removed;
}

/** Stops and removes all that Reveille made for this project, and nothing else. Volumes hold data: only when asked for. */
export async function removeProject(
  engine: Engine,
  project: string,
  { volumes }: { volumes: boolean },
): Promise<Removed> {
  const { docker } = engine;
  const label = Object.entries(projectLabels(project)).map(([key, value]) => `${key}=${value}`);
  const filters = { label };
  const ours: Ours = (items) => items.filter(({ Labels }) => isOfProject(Labels, project));

  const containers = ours(
    await engine.call((abortSignal) => docker.listContainers({ all: true, filters, abortSignal })),
  );
  const networks = ours(await engine.call((abortSignal) => docker.listNetworks({ filters, abortSignal })));
  const images = ours(await engine.call((abortSignal) => docker.listImages({ filters, abortSignal })));
  const gone = await removeEach(
    engine,
    containers,
    ({ Names, Id }) => Names[0]?.slice(1) ?? Id,
    ({ Id }) =>
      (abortSignal) =>
        docker.getContainer(Id).remove({ force: true, v: true, abortSignal }),
  );
  return {
    containers: gone,
    networks: await removeEach(
      engine,
      networks,
      ({ Name }) => Name,
      ({ Id }) =>
        () =>
          docker.getNetwork(Id).remove(),
    ),
    volumes: volumes ? await removeVolumes(engine, filters, ours) : [],
    images: await removeEach(
      engine,
      images,
      ({ Id, RepoTags }) => RepoTags?.[0] ?? Id,
      ({ Id }) =>
        (abortSignal) =>
          docker.getImage(Id).remove({ abortSignal }),
    ),
  };
}

async function removeVolumes(engine: Engine, filters: { label: string[] }, ours: Ours): Promise<string[]> {
  const { docker } = engine;
  const { Volumes } = await engine.call((abortSignal) => docker.listVolumes({ filters, abortSignal }));
  // The engine answers null where there is none, whatever the types say.
  const found = ours((Volumes as typeof Volumes | null) ?? []);
  return removeEach(
    engine,
    found,
    ({ Name }) => Name,
    ({ Name }) =>
      () =>
        docker.getVolume(Name).remove(),
  );
}
