import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isTimeZone, offsetMinutes } from './time-zone.ts';
import { cityOf, findTimeZone, zoneForCity } from './zone-names.ts';

/** Names of the IANA database that Node takes and does not list. */
const OTHERS = [
  ...['UTC', 'GMT', 'GMT+0', 'EST', 'EST5EDT', 'CST6CDT', 'MST7MDT', 'PST8PDT', 'CET', 'MET', 'WET', 'HST'],
  ...['Etc/UTC', 'Etc/UCT', 'Etc/GMT', 'Etc/GMT+12', 'Etc/GMT-14', 'Etc/GMT0', 'Etc/Greenwich', 'Etc/Zulu'],
  ...['US/Pacific', 'US/East-Indiana', 'US/Indiana-Starke', 'America/Knox_IN', 'GB', 'GB-Eire', 'NZ-CHAT'],
  ...['PRC', 'ROC', 'ROK', 'W-SU', 'Hongkong', 'Asia/Kolkata', 'Asia/Kathmandu', 'Asia/Ho_Chi_Minh'],
  ...['Europe/Kyiv', 'Australia/ACT', 'Australia/LHI', 'Australia/NSW', 'Australia/North'],
  ...['America/Argentina/ComodRivadavia', 'America/Argentina/Buenos_Aires', 'Brazil/DeNoronha'],
  ...['Mexico/BajaNorte', 'Mexico/BajaSur', 'Chile/EasterIsland', 'Pacific/Kanton', 'Atlantic/Faroe'],
];
const ZONES = [...Intl.supportedValuesOf('timeZone'), ...OTHERS];

describe('the name of a time zone', () => {
  it('is found in its own capitals, however it was written', () => {
    for (const name of ZONES) {
      assert.equal(findTimeZone(name), name);
      assert.equal(findTimeZone(name.toLowerCase()), name);
      assert.equal(findTimeZone(name.toUpperCase()), name);
    }
  });

  it('is one of the IANA database, and no abbreviation of ICU', () => {
    for (const name of ['', 'Nowhere', '+05:30', 'IST', 'BST', 'act', 'PST', 'Europe/', 'x'.repeat(100)]) {
      assert.equal(findTimeZone(name), null, name);
    }
  });

  it('is found again by the city that it shows', () => {
    for (const name of ZONES) {
      const found = zoneForCity(cityOf(name));
      assert.ok(found !== null, name);
      assert.equal(cityOf(found), cityOf(name));
      assert.ok(isTimeZone(found));
      for (const at of [Date.UTC(2026, 0, 1), Date.UTC(2026, 6, 1)]) {
        assert.equal(offsetMinutes(found, at), offsetMinutes(name, at), name);
      }
    }
    for (const [city, name] of [
      ['istanbul', 'Europe/Istanbul'],
      ['UTC', 'UTC'],
      ['gmt+3', 'Etc/GMT+3'],
      ['ACT', 'Australia/ACT'],
      ['europe/istanbul', 'Europe/Istanbul'],
    ] as const) {
      assert.equal(zoneForCity(city), name);
    }
    for (const city of ['', 'Nowhere', '+05:30', '%', 'x'.repeat(100)])
      assert.equal(zoneForCity(city), null, city);
  });
});
