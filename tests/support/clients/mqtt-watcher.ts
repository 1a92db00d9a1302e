import { connectAsync, type MqttClient } from 'mqtt';

export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** A subscriber that writes down all it hears under one root. */
export class MqttWatcher {
  readonly heard: Heard[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async watch(url: string, root: string): Promise<MqttWatcher> {
    const client = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 4 });
    const watcher = new MqttWatcher(client);
    client.on('error', () => undefined);
    client.on('message', (topic, payload, { retain }) =>
      watcher.heard.push({ topic, payload: payload.toString(), retain }),
    );
    await client.subscribeAsync(`${root}/#`, { qos: 1 });
    return watcher;
  }

  payloads(topic: string): string[] {
    return this.heard.filter((each) => each.topic === topic).map((each) => each.payload);
  }

  last(topic: string): string | undefined {
    return this.payloads(topic).at(-1);
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
