import type { IncomingMessage } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { until } from '../until.ts';

/** Collects the messages of an event stream. */
export class SseReader {
  readonly messages: EventSourceMessage[] = [];
  text = '';
  ended = false;

  constructor(response: IncomingMessage) {
    const parser = createParser({ onEvent: (message) => this.messages.push(message) });
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      this.text += chunk;
      parser.feed(chunk);
    });
    response.on('error', () => (this.ended = true));
    response.on('close', () => (this.ended = true));
  }

  data<T>(): T[] {
    return this.messages.map(({ data }) => JSON.parse(data) as T);
  }

  async until(count: number): Promise<void> {
    await until(() => this.messages.length >= count);
  }
}
