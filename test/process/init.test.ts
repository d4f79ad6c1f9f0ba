import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findAccount } from '../../supervisor/processes/adapters/users.ts'
import { fixture, needsRoot, startMonohull } from './monohull.ts'

const hello = `app: { command: [node, ${fixture('hello.cjs')}], env: { TOKEN: { file: token } } }\n`
const files = { token: 'of the app\n' }

describe('init', () => {
  it('runs its commands in order before any worker, in the folder and with the variables of the app', async t => {
    const yaml = `${hello}init:
  - sh -c 'sleep 0.3; echo "first $TOKEN in $PWD, $(env | grep -c ^MONOHULL_)"'
  - { command: [sh, -c, 'echo "second $TOKEN in $PWD"'], directory: sub, env: { TOKEN: own } }
`
    const monohull = startMonohull(t, { files: { ...files, 'monohull.yaml': yaml, 'sub/.keep': '' } })
    await monohull.serving()
    const output = monohull.output()
    assert.match(output, new RegExp(`init\\.1\\[\\d+\\] stdout\\| first of the app in ${monohull.folder}, 1\n`))
    assert.match(output, new RegExp(`init\\.2\\[\\d+\\] stdout\\| second own in ${monohull.folder}/sub\n`))
    const order = [
      'first of the app',
      'init command finished init=init.1',
      'second own',
      'starting app=',
      'worker ready',
    ]
    const places = order.map(text => output.indexOf(text))
    assert.ok(!places.includes(-1), output)
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    )
    const from = output.length
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/, from)
    assert.doesNotMatch(monohull.output().slice(from), /init/)
  })

  it('runs as the user of the app, or its own', {
    skip: needsRoot,
  }, async t => {
    const yaml = `${hello.replace('env:', 'user: www-data, env:')}init: ["id -u", { command: "id -u", user: nobody }]\n`
    const monohull = startMonohull(t, { files: { ...files, 'monohull.yaml': yaml } })
    await monohull.serving()
    const uids = [...monohull.output().matchAll(/init\.\d\[\d+\] stdout\| (\d+)/g)].map(([, uid]) => Number(uid))
    assert.deepEqual(uids, [findAccount('www-data')?.uid, findAccount('nobody')?.uid])
  })

  const failures: [string, string, number, RegExp][] = [
    [
      'fails',
      `"sh -c 'echo half way; echo no table >&2; exit 7'"`,
      7,
      /cannot start: init\.1 \(.*\) ended with exit code 7; its last output:\n\s*half way\n\s*no table/,
    ],
    [
      'does not end in time',
      '{ command: [sleep, "60"], timeout: 300ms }',
      143,
      /init\.1 \(sleep 60\) did not finish within its timeout of 300ms; it printed nothing/,
    ],
    ['is killed', '"sh -c \'kill -s KILL 0\'"', 137, /ended with signal SIGKILL/],
  ]
  for (const [name, command, code, says] of failures) {
    it(`ends the start with the code of a command that ${name}`, async t => {
      const yaml = `${hello}init: [${command}, "touch never"]\n`
      const monohull = startMonohull(t, { files: { ...files, 'monohull.yaml': yaml } })
      assert.equal(await monohull.exited, code, monohull.output())
      assert.match(monohull.output(), says)
      assert.doesNotMatch(monohull.output(), /worker ready|internal error/)
      assert.equal(existsSync(join(monohull.folder, 'never')), false)
    })
  }

  // a quick stop leaves it a second
  for (const [signal, cleanUp] of [
    ['SIGTERM', 'sleep 1.5'],
    ['SIGINT', ':'],
  ] as const) {
    it(`ends with 0 by ${signal}, and its command with it`, async t => {
      const yaml = `${hello}init: [[sh, -c, "trap '${cleanUp}; echo ended well; exit 3' TERM; echo migrating; while :; do sleep 0.05; done"], "touch never"]\n`
      const monohull = startMonohull(t, { files: { ...files, 'monohull.yaml': yaml } })
      await monohull.seen(/stdout\| migrating/)
      monohull.signal(signal)
      assert.equal(await monohull.exited, 0)
      assert.match(monohull.output(), /stdout\| ended well/)
      assert.doesNotMatch(monohull.output(), /worker ready|cannot start/)
      assert.equal(existsSync(join(monohull.folder, 'never')), false)
    })
  }

  it('is looked at by check', async t => {
    const yaml = `${hello}init: [nonesuch, { command: id, user: nobody-of-that-name }]\nprocesses: { queue: { command: ./missing } }\n`
    const monohull = startMonohull(t, { args: ['check'], files: { ...files, 'monohull.yaml': yaml } })
    assert.equal(await monohull.exited, 78)
    const output = monohull.output()
    assert.match(output, /init\.0\.command: was not found, got "nonesuch"/)
    assert.match(output, /init\.1\.user: is not a user of this system/)
    assert.match(output, /processes\.queue\.command: was not found, got "\.\/missing"/)
  })
})
