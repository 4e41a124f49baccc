import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { weighPreconditions } from './preconditions.ts';

const ETAG = '"ba7816bf"';

describe('preconditions', () => {
  it('of If-None-Match: the copy that a client has is good where its tag is named, weak or strong', () => {
    for (const header of [
      ETAG,
      `W/${ETAG}`,
      '*',
      ' * ',
      `"other", ${ETAG}`,
      `${ETAG},"other"`,
      `, ${ETAG} ,,W/"x" , `,
      `"a,b",${ETAG}`,
      `"",${ETAG}`,
    ]) {
      assert.equal(weighPreconditions({ 'if-none-match': header }, ETAG), 'not_modified', header);
    }
    for (const header of [
      '"other"',
      '',
      'ba7816bf',
      '"BA7816BF"',
      `w/${ETAG}`,
      `x${ETAG}`,
      `${ETAG} x`,
      '"a"b"',
    ]) {
      assert.equal(weighPreconditions({ 'if-none-match': header }, ETAG), 'proceed', header);
    }
    assert.equal(weighPreconditions({ 'if-none-match': `"a${ETAG}` }, ETAG), 'proceed');
  });

  it('of If-Match: only the same strong tag goes on', () => {
    for (const header of [ETAG, '*', `"other", ${ETAG}`]) {
      assert.equal(weighPreconditions({ 'if-match': header }, ETAG), 'proceed', header);
    }
    for (const header of [`W/${ETAG}`, '"other"', '', 'ba7816bf']) {
      assert.equal(weighPreconditions({ 'if-match': header }, ETAG), 'failed', header);
    }
  });

  it('come in the order of RFC 9110: If-Match first', () => {
    assert.equal(weighPreconditions({}, ETAG), 'proceed');
    assert.equal(weighPreconditions({ 'if-match': '"other"', 'if-none-match': ETAG }, ETAG), 'failed');
    assert.equal(weighPreconditions({ 'if-match': ETAG, 'if-none-match': ETAG }, ETAG), 'not_modified');
  });
});
