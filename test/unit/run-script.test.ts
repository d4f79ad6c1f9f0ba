import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const home = join(import.meta.dirname, '../..')

/** What `test/run.sh --list` gives: it runs and installs nothing. */
function list(words: string[], from = home) {
  const { status, stdout, stderr } = spawnSync(join(home, 'test/run.sh'), ['--list', ...words], {
    cwd: from,
    encoding: 'utf8',
  })
  const lines = stdout.split('\n').filter(Boolean)
  return { status, stderr, lines, files: lines.map(line => line.split(/ +/)[0]) }
}

describe('test/run.sh takes', () => {
  const backoff = ['test/unit/base/backoff.test.ts']
  const from: [string, string, string[]][] = [
    ['a path from the repository', '', ['test/unit/base/backoff.test.ts']],
    ['a path from test/', '', ['unit/base/backoff.test.ts']],
    ['a path from the current directory', 'test/unit/base', ['backoff.test.ts']],
    ['a path upwards', 'test/process', ['../unit/base/backoff.test.ts']],
    ['an absolute path', '', [join(home, 'test/unit/base/backoff.test.ts')]],
    ['a path without its ending', '', ['unit/base/backoff']],
    ['the name of a file', '', ['backoff.test.ts']],
    ['the name of a file without its ending, from anywhere', 'docs', ['backoff']],
    ['a pattern', '', ['backo*']],
    ['the same file twice, as one', '', ['backoff', './test/unit/base/backoff.test.ts']],
  ]
  for (const [what, folder, words] of from)
    it(what, () => assert.deepEqual(list(words, join(home, folder)).files, backoff))

  it('a directory, from the repository and from test/, with a slash at its end or none', () => {
    const { files } = list(['nginx'])
    assert.deepEqual(files, ['test/nginx/rendered.test.ts', 'test/nginx/rules.test.ts'])
    for (const [word, folder] of [
      ['test/nginx/', '.'],
      ['nginx/', 'test'],
      ['.', 'test/nginx'],
    ] as const)
      assert.deepEqual(list([word], join(home, folder)).files, files, word)
  })

  it('several of them, and a name that files of several directories have', () => {
    assert.deepEqual(list(['nginx/rules', 'test/unit/docs.test.ts']).files, [
      'test/nginx/rules.test.ts',
      'test/unit/docs.test.ts',
    ])
    assert.deepEqual(list(['docs']).files, ['test/process/docs.test.ts', 'test/unit/docs.test.ts'])
  })

  it('nothing, for everything but the fixtures', () => {
    const { files } = list([])
    assert.deepEqual(
      [...new Set(files.map(file => file?.split('/')[1]))],
      ['image', 'nginx', 'process', 'simulation', 'unit'],
    )
    const release = list(['release']).files
    assert.ok(release.includes('test/world/programs.test.ts'))
    assert.deepEqual(
      release.filter(file => files.includes(file)),
      [],
      'nothing twice',
    )
    assert.equal(
      release.length + files.length,
      list(['unit', 'nginx', 'simulation', 'process', 'image', 'world']).files.length,
    )
  })
})

describe('test/run.sh', () => {
  it('needs no package for most units, and names those that a file needs', () => {
    assert.deepEqual(
      list(['backoff']).lines.map(line => line.trim()),
      ['test/unit/base/backoff.test.ts'],
    )
    const [line = ''] = list(['process/trust-info']).lines
    assert.match(line, / chromium libnginx-mod-http-lua libnss3-tools nginx openssl$/)
    assert.doesNotMatch(list(['process/routes']).lines.join(), /chromium|golang/)
  })

  for (const [word, advice] of [
    ['no-such-test', /directories: image nginx process simulation unit world/],
    ['', /directories: image nginx process simulation unit world/],
    ['test/process/monohull.ts', /directories:/],
    ['test/fixtures', /directories:/],
    ['app/', /similar names:\n(.*\n)*test\/unit\/app\.test\.ts\n/],
    ['/etc/passwd', /directories:/],
    ['../unit', /directories:/],
    ['process/backof', /similar names:\ntest\/unit\/base\/backoff\.test\.ts\n$/],
  ] as const)
    it(`ends with 64 for '${word}', and says what there is`, () => {
      const { status, stderr, files } = list([word])
      assert.deepEqual([status, files], [64, []])
      assert.match(stderr, advice)
    })

  it('ends with 64 for an unknown option, and for a pattern that is missing', () => {
    assert.equal(list(['--watch']).status, 64)
    assert.equal(list(['-t']).status, 64)
  })
})
