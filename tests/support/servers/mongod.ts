import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { MongoClient } from 'mongodb';
import { MongoMemoryReplSet } from 'mongodb-memory-server-core';
import { findMongod } from './mongod-binary.ts';
import { until } from '../until.ts';

const CHANGE_STREAM_HISTORY_LOST = 286;

/** The server's program, or why there is none; printed, as the tests that need it are skipped. */
export async function mongodOrReason(): Promise<{ binary: string } | { reason: string }> {
  try {
    return { binary: await findMongod() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`skipped: tests on MongoDB. ${reason}`);
    return { reason };
  }
}

export interface ReplicaSetOptions {
  readonly members?: 1 | 3;
  /** With this, every client needs these credentials. */
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** A real replica set on ports of 127.0.0.1; small, and gone with the process that started it. One for a test file. */
export class ReplicaSet {
  readonly #set: MongoMemoryReplSet;
  readonly #client: MongoClient;
  readonly #credentials: ReplicaSetOptions['credentials'];

  private constructor(set: MongoMemoryReplSet, options: ReplicaSetOptions) {
    this.#set = set;
    this.#credentials = options.credentials;
    // A member that is frozen must not hold up the test.
    this.#client = new MongoClient(this.uri, {
      heartbeatFrequencyMS: 500,
      connectTimeoutMS: 2_000,
      socketTimeoutMS: 5_000,
    });
  }

  static async start(binary: string, options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
    process.env['MONGOMS_SYSTEM_BINARY_VERSION_CHECK'] = 'false';
    const { members = 1, credentials } = options;
    const set = await MongoMemoryReplSet.create({
      binary: { systemBinary: binary },
      instanceOpts: Array.from({ length: members }, () => ({ launchTimeout: 60_000 })),
      replSet: {
        name: 'rs0',
        count: members,
        storageEngine: 'wiredTiger',
        // What has expired is looked for every second instead of every minute.
        args: [
          '--wiredTigerCacheSizeGB',
          '0.25',
          '--oplogSize',
          '64',
          '--setParameter',
          'ttlMonitorSleepSecs=1',
          '--setParameter',
          'enableTestCommands=1',
        ],
        configSettings: { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 },
        ...(credentials && {
          auth: { enable: true, customRootName: credentials.user, customRootPwd: credentials.password },
        }),
      },
    });
    return new ReplicaSet(set, options);
  }

  get uri(): string {
    const plain = this.#set.getUri();
    if (!this.#credentials) return plain;
    const { user, password } = this.#credentials;
    const userinfo = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    return `${plain.replace('mongodb://', `mongodb://${userinfo}@`)}&authSource=admin`;
  }

  /** The port of the first member. */
  get port(): number {
    return Number(this.#set.servers[0]?.instanceInfo?.port);
  }

  /** A client of the test's own, to look behind the back of a store. */
  get client(): MongoClient {
    return this.#client;
  }

  /** A name that no other test uses. */
  uniqueName(): string {
    return `test-${randomBytes(6).toString('hex')}`;
  }

  /** The port of the member that takes writes now. */
  async primary(): Promise<number> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    return Number(String(hello['primary']).split(':').at(-1));
  }

  /** Resolves with its port when another member takes writes than that one. */
  otherPrimaryThan(port: number): Promise<number> {
    const other = async (): Promise<number | undefined> => {
      const found = await this.primary().catch(() => port);
      return found === port || Number.isNaN(found) ? undefined : found;
    };
    return until(other, { timeout: 60_000, interval: 100 });
  }

  /** Lets the primary hand over to another member, as before its machine is rebooted. */
  async stepDown(): Promise<void> {
    await this.#client.db('admin').command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 5 });
  }

  /** Stops a member in its tracks: its connections stay and nothing answers. */
  freeze(port: number): void {
    this.#processOn(port).kill('SIGSTOP');
  }

  thaw(port: number): void {
    this.#processOn(port).kill('SIGCONT');
  }

  /**
   * The next one who wants to hear of changes from where he stopped is told that this has been forgotten, as by a server
   * whose oplog has moved on. Returns whether that has happened.
   */
  async forgetHistory(): Promise<() => Promise<boolean>> {
    const data = { failCommands: ['aggregate'], errorCode: CHANGE_STREAM_HISTORY_LOST, appName: 'reveille' };
    const admin = this.#client.db('admin');
    const refused = async (): Promise<number> => {
      const found = await admin.command({ getParameter: 1, 'failpoint.failCommand': 1 });
      return (found['failpoint.failCommand'] as { timesEntered: number }).timesEntered;
    };
    const before = await refused();
    await admin.command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    return async () => (await refused()) > before;
  }

  /** Kills the primary with SIGKILL and resolves when it is gone. */
  async killPrimary(): Promise<void> {
    const process = this.#processOn(await this.primary());
    const exited = once(process, 'exit');
    process.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#set.stop({ doCleanup: true, force: true });
  }

  #processOn(port: number): ChildProcess {
    const server = this.#set.servers.find(({ instanceInfo }) => instanceInfo?.port === port);
    const process = server?.instanceInfo?.instance.mongodProcess;
    if (!process) throw new Error(`no member listens on ${port}`);
    return process;
  }
}
