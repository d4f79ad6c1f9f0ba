import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasInspectorPort, watchesItself } from '../../../supervisor/processes/self-watching.ts'

describe('processes/self-watching', () => {
  const self = [
    'vite',
    'node_modules/.bin/vite --port 3000',
    'node node_modules/vite/bin/vite.js dev',
    'next dev',
    'next dev --turbo',
    'nuxt dev',
    'nodemon server.js',
    'node --watch server.js',
    'flask --app app run --debug',
    'flask --debug run',
    'python3 -m flask --debug run',
    'uvicorn app:app --reload',
    'python manage.py runserver',
    '/bin/sh -c vite --host && true',
    'webpack serve',
  ]
  for (const line of self)
    it(`knows that ${line} watches its files`, () => {
      const argv = line.startsWith('/bin/sh -c ')
        ? ['/bin/sh', '-c', line.slice('/bin/sh -c '.length)]
        : line.split(' ')
      assert.ok(watchesItself(argv))
    })
  const others =
    'node server.js;next start;vite preview;vite build;flask run;node --debug server.js;gunicorn app:app;uvicorn app:app;nuxt start;node vite-server.js;manage.py runserver --noreload'
  for (const line of others.split(';'))
    it(`knows that ${line} does not`, () => assert.ok(!watchesItself(line.split(' '))))

  for (const [line, options, expected] of [
    ['node --inspect server.js', '', true],
    ['tsx --inspect-brk=0.0.0.0:9229 server.ts', '', true],
    ['node server.js', '--enable-source-maps --inspect', true],
    ['node --inspect=0 server.js', '', false],
    ['node --inspect=127.0.0.1:0 server.js', '', false],
    ['node --inspect-port=9230 server.js', '', false],
    ['node server.js', '', false],
  ] as const)
    it(`knows whether ${line} with NODE_OPTIONS ${options || 'unset'} occupies a port for the inspector`, () =>
      assert.equal(hasInspectorPort(line.split(' '), options), expected))
})
