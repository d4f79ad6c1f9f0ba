import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeJsonProblem } from '../../../supervisor/dashboard/json-problem.ts'

describe('dashboard/json-problem', () => {
  for (const [text, expected] of [
    ['{"a": 1}', undefined],
    ['{"a": }', 'unexpected "}" at position 6 (line 1, column 7)'],
    ['{"a": 1', 'it ends too early at position 7 (line 1, column 8)'],
    ['{', 'it ends too early at position 1 (line 1, column 2)'],
    ['{"a":\n  tru, "b": 2}', 'unexpected "," at position 11 (line 2, column 6)'],
    ["{'a': 1}", 'unexpected "\'" at position 1 (line 1, column 2)'],
    ['[1, 2,]', 'unexpected "]" at position 6 (line 1, column 7)'],
    ['"\\x"', 'unexpected "x" at position 2 (line 1, column 3)'],
    ['1 2', 'unexpected "2" at position 2 (line 1, column 3)'],
    ['{"a": "b', 'it ends too early at position 8 (line 1, column 9)'],
    ['1.x', 'unexpected "x" at position 2 (line 1, column 3)'],
    ['-', 'it ends too early at position 1 (line 1, column 2)'],
    ['"\\u12', 'it ends too early at position 5 (line 1, column 6)'],
  ] as const)
    it(`finds in ${text} ${expected ?? 'nothing'}`, () => assert.equal(describeJsonProblem(text), expected))
})
