import { describe, expect, it } from 'vitest';
import { RetainedPicture } from '../../../src/messaging/retained-picture.ts';

const told = (picture: RetainedPicture) => picture.messages.map(({ topic, payload }) => `${topic}: ${payload}`);

describe('the retained picture', () => {
  it('shows the latest of each topic, as retained messages', () => {
    const picture = new RetainedPicture();
    picture.say('web', 'waking');
    picture.say('api', 'asleep');
    const message = picture.say('web', 'awake');

    expect(message).toEqual({ topic: 'web', payload: 'awake', retain: true });
    expect(picture.messages).toEqual([message, { topic: 'api', payload: 'asleep', retain: true }]);
  });

  it('goes on saying what the broker has heard, for it may lose it', () => {
    const picture = new RetainedPicture();
    picture.heard(picture.say('web', 'awake'));

    expect(told(picture)).toEqual(['web: awake']);
  });

  it('takes a topic away until the broker has heard it, and never again', () => {
    const picture = new RetainedPicture();
    picture.say('web', 'awake');
    const removal = picture.say('web', '');
    expect(picture.says('web')).toBe(false);
    expect(told(picture)).toEqual(['web: ']);

    picture.heard(removal);

    expect(told(picture)).toEqual([]);
  });

  it('keeps what is said again before the broker has heard that it was taken away', () => {
    const picture = new RetainedPicture();
    const removal = picture.say('web', '');
    picture.say('web', 'awake');

    picture.heard(removal);

    expect(picture.says('web')).toBe(true);
    expect(told(picture)).toEqual(['web: awake']);
  });

  it('goes on taking a topic away when the broker has only heard what was there before, or an event', () => {
    const picture = new RetainedPicture();
    const status = picture.say('web', 'awake');
    picture.say('web', '');

    picture.heard(status);
    picture.heard({ topic: 'web', payload: '', retain: false });

    expect(told(picture)).toEqual(['web: ']);
  });

  it('says nothing of what is for others to say', () => {
    const picture = new RetainedPicture();
    picture.say('web', 'awake');
    picture.forget('web');

    expect(picture.says('web')).toBe(false);
    expect(told(picture)).toEqual([]);
  });
});
