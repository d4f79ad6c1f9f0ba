import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { splitCommand } from '../../../supervisor/config/command-words.ts'

function wordsOf(text: string): string[] {
  const result = splitCommand(text)
  assert.ok(result.ok, `refused ${text}`)
  return result.words
}

function problemOf(text: string): string {
  const result = splitCommand(text)
  assert.ok(!result.ok, `accepted ${text}`)
  return result.problem
}

describe('config/command-words', () => {
  const splits: [string, string[]][] = [
    ['node server.js', ['node', 'server.js']],
    ['  node\t server.js\n', ['node', 'server.js']],
    ['node "a b.js"', ['node', 'a b.js']],
    ["node 'a b.js'", ['node', 'a b.js']],
    ['node a\\ b.js', ['node', 'a b.js']],
    ['node --x="a b"c', ['node', '--x=a bc']],
    ['node "" \'\'', ['node', '', '']],
    ['node "a\\"b" "a\\nb" \'a\\b\'', ['node', 'a"b', 'a\\nb', 'a\\b']],
    ['node \'|&;<>$HOME`x`\' "|;"', ['node', '|&;<>$HOME`x`', '|;']],
    ['node \\$HOME \\| "\\$HOME" "\\`x\\`"', ['node', '$HOME', '|', '$HOME', '`x`']],
    ['node $ a$', ['node', '$', 'a$']],
    ['python3 -m http.server $PORT', ['python3', '-m', 'http.server', '$PORT']],
    [`serve --listen=0.0.0.0:\${PORT}`, ['serve', `--listen=0.0.0.0:\${PORT}`]],
    ['serve "$PORT"', ['serve', '$PORT']],
    ['node s.js \\\n  --flag one \\\n  --two\n', ['node', 's.js', '--flag', 'one', '--two']],
    ['node s.js \\\r\n  --two\r\n', ['node', 's.js', '--two']],
    ['node "a\\\nb" c\\\nd', ['node', 'ab', 'cd']],
    ["node 'a\\\nb'", ['node', 'a\\\nb']],
    ['node "a\nb"', ['node', 'a\nb']],
    ['\n# starts the app\nnode s.js # in one worker\n\n# the end\n', ['node', 's.js']],
    ['node s.js#1 a#b "#"', ['node', 's.js#1', 'a#b', '#']],
    ['node a~ b~/c', ['node', 'a~', 'b~/c']],
  ]
  for (const [text, words] of splits) {
    it(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(wordsOf(text), words))
  }

  const problems: [string, string][] = [
    ['', 'is empty'],
    ['  \n', 'is empty'],
    ['node "a', 'has an unclosed "'],
    ["node 'a", "has an unclosed '"],
    ['node a\\', 'ends with a backslash'],
    ['node a | tee log', 'contains the shell operator |'],
    ['node a && node b', 'contains the shell operator &'],
    ['node a; node b', 'contains the shell operator ;'],
    ['node a > log', 'contains the shell operator >'],
    ['node a < in', 'contains the shell operator <'],
    ['node $HOME/a', 'contains $HOME, which only a shell expands'],
    ['node "$HOME"', 'contains $HOME, which only a shell expands'],
    [`node \${HOME}`, 'contains ${, which only a shell expands'],
    ['node $(cat x)', 'contains $(, which only a shell expands'],
    ['node `cat x`', 'contains `, which only a shell expands'],
    ['serve $PORTS', 'contains $PORTS, which only a shell expands'],
    ['node $@', 'contains $@, which only a shell expands'],
    ['node "$1"', 'contains $1, which only a shell expands'],
    ['~/bin/node a', 'contains ~, which only a shell expands'],
    ['node a\nnode b', 'contains several lines, each a command of its own'],
    ['node a # first\nnode b', 'contains several lines, each a command of its own'],
    ['node a\n  --flag', 'contains several lines, each a command of its own'],
    ['# node a', 'is empty'],
  ]
  for (const [text, problem] of problems) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.equal(problemOf(text), problem))
  }

  it('restores any quoted words', () => {
    const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), words => {
        assert.deepEqual(wordsOf(words.map(quote).join(' ')), words)
      }),
    )
  })

  it('splits like /bin/sh', () => {
    for (const [text] of splits.filter(([text]) => !/PORT|\r/.test(text))) {
      const line = text.replace(/^\s+|^#.*\n/gm, match => (match.startsWith('#') ? '' : ' ')).trimStart()
      const seen = execFileSync('/bin/sh', ['-c', `show() { printf '%s\\0' "$@"; }\nshow ${line}`])
      assert.deepEqual(seen.toString().split('\0').slice(0, -1), wordsOf(text), text)
    }
  })
})
