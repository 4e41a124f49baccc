import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ContactCenter,
  numberOrOffSetting,
  numberSetting,
  settingOf,
  wordSetting,
} from './contact-center.ts';

const days = numberSetting({ key: 'x.days', least: 1, most: 36_500, default: 90, description: '' });
const after = numberOrOffSetting({ key: 'x.after', least: 1, most: 36_500, description: '' });
const way = wordSetting({ key: 'x.way', words: ['up', 'down'], default: 'up', description: '' });

const set = (settings: Record<string, string>): ContactCenter => ({
  id: 1,
  name: 'north',
  timezone: 'UTC',
  settings,
  history: 'first 0',
  revision: 0,
  recordingsRevision: 0,
});

describe('settings', () => {
  it('take what they say they take, and nothing else', () => {
    assert.deepEqual(['1', '90', '36500'].map(days.read), [1, 90, 36_500]);
    assert.deepEqual(['off', '1', '36500'].map(after.read), ['off', 1, 36_500]);
    assert.deepEqual(['up', 'down'].map(way.read), ['up', 'down']);
    for (const text of [
      '',
      '0',
      '-1',
      '+1',
      '01',
      '1.0',
      '1e2',
      ' 1',
      '1 ',
      '0x1',
      '36501',
      '9'.repeat(40),
    ]) {
      for (const setting of [days, after]) assert.equal(setting.read(text), undefined, text);
    }
    assert.equal(days.read('off'), undefined);
    for (const text of ['', 'UP', 'up ', 'off']) assert.equal(way.read(text), undefined);
    assert.deepEqual([days.form, after.form, way.form], ['1..36500', 'off | 1..36500', 'up | down']);
  });

  it('have their default where nothing, or nothing that still holds, was set', () => {
    assert.deepEqual(
      [settingOf(set({}), days), settingOf(set({}), after), settingOf(set({}), way)],
      [90, 'off', 'up'],
    );
    const old = set({ 'x.days': '0', 'x.after': 'never', 'x.way': 'left' });
    assert.deepEqual([settingOf(old, days), settingOf(old, after), settingOf(old, way)], [90, 'off', 'up']);
    const now = set({ 'x.days': '7', 'x.after': '30', 'x.way': 'down' });
    assert.deepEqual([settingOf(now, days), settingOf(now, after), settingOf(now, way)], [7, 30, 'down']);
  });
});
