// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expandVariables } from '../../../supervisor/processes/variable-text.ts'

const env = { HOST: 'box', EMPTY: '' }

describe('processes/variable-text', () => {
  const texts: [string, string][] = [
    ['http://${HOST}/$X', 'http://box/$X'],
    ['${HOST}${HOST}', 'boxbox'],
    ['${EMPTY}', ''],
    ['${EMPTY:-none}', 'none'],
    ['${NOT_SET:-a b}', 'a b'],
    ['${NOT_SET:-}', ''],
    ['$${HOST}', '${HOST}'],
    ['pa$$word $HOST %(x)s 5$', 'pa$$word $HOST %(x)s 5$'],
  ]
  for (const [text, expanded] of texts)
    it(`expands ${text}`, () => assert.deepEqual(expandVariables(text, env), { ok: true, text: expanded }))

  const unset: [string, string][] = [
    ['a ${NOT_SET} ${OTHER}', '${NOT_SET}'],
    ['${', '${'],
    ['${HOST', '${'],
    ['${HOST%x}', '${'],
    ['${}', '${'],
  ]
  for (const [text, reference] of unset)
    it(`rejects ${text}`, () => assert.deepEqual(expandVariables(text, env), { ok: false, reference }))
})
