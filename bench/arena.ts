import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ability, Contestant } from './contestants/contestant.ts';
import { CONTESTANT_CORE } from './machine.ts';
import { treeUsage, type TreeUsage } from './process-tree.ts';
import { ServerProcess } from './server-process.ts';
import { HOST, type Site } from './site.ts';

/** A contestant that runs. */
export class Entrant {
  readonly contestant: Contestant;
  readonly #server: ServerProcess;

  constructor(contestant: Contestant, server: ServerProcess) {
    this.contestant = contestant;
    this.#server = server;
  }

  get name(): string {
    return this.contestant.name;
  }

  get port(): number {
    return this.#server.port;
  }

  url(path: string): string {
    return `https://${HOST}:${this.port}${path}`;
  }

  usage(): TreeUsage {
    return treeUsage(this.#server.pid);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** Where the cases are run: the site, who takes part, and how long everything may take. */
export interface Arena {
  readonly site: Site;
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  /** Of load, in each round. */
  readonly seconds: number;
  /** Small ones that each contestant has served before anything is measured. */
  readonly warmUpRequests: number;
  readonly full: boolean;
  progress(text: string): void;
}

export function able({ contestants }: Arena, ...abilities: readonly Ability[]): Contestant[] {
  return contestants.filter((each) => abilities.every((ability) => each.abilities.includes(ability)));
}

/** Starts them, runs the work and ends them again, whatever happens. Those that wait their turn cost nothing. */
export async function withEntrants<T>(
  { site }: Arena,
  contestants: readonly Contestant[],
  work: (entrants: readonly Entrant[]) => Promise<T>,
): Promise<T> {
  const entrants: Entrant[] = [];
  try {
    for (const contestant of contestants) entrants.push(await enter(site, contestant));
    return await work(entrants);
  } finally {
    await Promise.all(entrants.map((entrant) => entrant.stop()));
  }
}

async function enter(site: Site, contestant: Contestant): Promise<Entrant> {
  const port = await site.newPort();
  const dir = join(site.dir, `${contestant.name.replaceAll(/\W+/g, '-')}-${port}`);
  await mkdir(dir, { recursive: true });
  const command = await contestant.prepare(site, dir, port);
  const server = await ServerProcess.start({
    ...command,
    name: contestant.name,
    cwd: dir,
    port,
    core: CONTESTANT_CORE,
  });
  return new Entrant(contestant, server);
}
