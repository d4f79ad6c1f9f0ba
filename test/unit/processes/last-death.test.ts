import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tellingLine } from '../../../supervisor/processes/last-death.ts'

describe('the line that says most about a death', () => {
  for (const [language, lines, line] of [
    ['nothing', [], undefined],
    [
      'Node',
      [
        'listening',
        '/app/server.js:3',
        "  throw new Error('a')",
        '  ^',
        '',
        'Error: a',
        '    at x:1',
        'Node.js v24.0.0',
      ],
      'Error: a',
    ],
    [
      'Node with a code',
      ['TypeError [ERR_INVALID_URL]: Invalid URL', '    at new URL'],
      'TypeError [ERR_INVALID_URL]: Invalid URL',
    ],
    [
      'a rejection',
      ['[UnhandledPromiseRejection: This error originated]', '  x'],
      '[UnhandledPromiseRejection: This error originated]',
    ],
    [
      'Python',
      [
        'Traceback (most recent call last):',
        '  File "a.py", line 1',
        "    raise KeyError('Error: no')",
        'KeyError: 3',
        'bye',
      ],
      'KeyError: 3',
    ],
    [
      'Python modules',
      ['Traceback (most recent call last):', '  File "a.py"', 'psycopg2.OperationalError: refused'],
      'psycopg2.OperationalError: refused',
    ],
    [
      'Go',
      ['panic: runtime error: index out of range', '', 'goroutine 1 [running]:'],
      'panic: runtime error: index out of range',
    ],
    ['Java', ['Exception in thread "main" java.lang.Error: x'], 'Exception in thread "main" java.lang.Error: x'],
    ['anything else', ['listening on 3000', 'boom'], 'boom'],
  ] as [string, string[], string | undefined][])
    it(`of ${language}`, () => assert.equal(tellingLine(lines), line))
})
