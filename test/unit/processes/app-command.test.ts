import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AppContent,
  chooseContent,
  type PackageJson,
  type Project,
} from '../../../supervisor/processes/app-command.ts'

interface Folder {
  packageJson?: PackageJson
  files?: string[]
  folders?: string[]
  /** Whether tsx is installed. */
  tsx?: boolean
}

function project({ packageJson, files = [], folders = [], tsx = true }: Folder): Project {
  return {
    packageJson,
    isFile: path => files.includes(path),
    isDirectory: path => folders.includes(path),
    tsxLoader: () => (tsx ? 'file:///app/node_modules/tsx/dist/loader.mjs' : undefined),
  }
}

function chosen(command: string[] | undefined, folder: Folder): AppContent {
  const result = chooseContent(command, project(folder))
  assert.ok(result.ok, JSON.stringify(result))
  return result.content
}

function argvOf(command: string[] | undefined, folder: Folder): string[] {
  const content = chosen(command, folder)
  assert.equal(content.kind, 'command')
  return content.kind === 'command' ? content.argv : []
}

function problemOf(command: string[] | undefined, folder: Folder): string {
  const result = chooseContent(command, project(folder))
  assert.ok(!result.ok, JSON.stringify(result))
  return `${result.problem}; ${result.fix}`
}

const scripts = (all: Record<string, string>): Folder => ({
  packageJson: { name: 'shop', version: '1.2.3', scripts: all },
})

describe('processes/app-command: a command', () => {
  it('is used unchanged', () => {
    assert.deepEqual(chosen(['gunicorn', '--bind', 'fd://3', 'main:app'], {}), {
      kind: 'command',
      argv: ['gunicorn', 'main:app'],
      env: {},
      origin: 'gunicorn',
    })
  })

  it('that is a directory with index.php is run by PHP-FPM, and so is a project with one', () => {
    const site = { folders: ['site'], files: ['site/public/index.php'] }
    assert.deepEqual(chosen(['site'], site), {
      kind: 'php',
      root: 'site/public',
      origin: 'site/public/index.php',
    })
    const build = { packageJson: { name: 'assets', scripts: { build: 'vite build' } }, files: ['public/index.php'] }
    assert.equal(chosen(undefined, build).kind, 'php')
    assert.equal(chosen(undefined, { ...scripts({ start: 'node x' }), files: ['public/index.php'] }).kind, 'command')
  })

  it('with keys for PHP, PHP comes first, below its root', () => {
    const both = project({ ...scripts({ start: 'node x' }), files: ['public/index.php'] })
    const rootOf = (php: { root?: string }, of = both, command?: string[]) => {
      const result = chooseContent(command, of, php)
      return result.ok && result.content.kind === 'php' ? result.content.root : JSON.stringify(result)
    }
    assert.equal(rootOf({}), 'public')
    assert.equal(rootOf({ root: 'web' }), 'web')
    assert.equal(rootOf({ root: 'web' }, project({ folders: ['site'] }), ['site']), 'web')
    assert.match(rootOf({}, project({})), /neither index\.php nor public\/index\.php/)
    assert.match(rootOf({}, both, ['php-fpm', '-F']), /"kind":"command"/)
  })

  it('that is a directory is served as files', () => {
    assert.deepEqual(chosen(['public'], { folders: ['public'] }), {
      kind: 'files',
      root: 'public',
      origin: 'directory public',
    })
    assert.equal(chosen(['public', 'x'], { folders: ['public'] }).kind, 'command')
  })
})

describe('processes/app-command: package managers', () => {
  const folder = scripts({ start: 'node server.js', serve: 'node serve.js', build: 'tsc' })

  const commands: [string, string[]][] = [
    ['npm start', ['node', 'server.js']],
    ['npm run start', ['node', 'server.js']],
    ['npm run serve', ['node', 'serve.js']],
    ['npm run-script serve', ['node', 'serve.js']],
    ['npm start -- --port 1', ['node', 'server.js', '--port', '1']],
    ['npm run serve -- -v', ['node', 'serve.js', '-v']],
    ['yarn start', ['node', 'server.js']],
    ['yarn serve', ['node', 'serve.js']],
    ['yarn run serve --x', ['node', 'serve.js', '--x']],
    ['pnpm start', ['node', 'server.js']],
    ['pnpm serve', ['node', 'serve.js']],
    ['pnpm run serve', ['node', 'serve.js']],
  ]
  for (const [command, argv] of commands) {
    it(`runs the script of "${command}" itself`, () => assert.deepEqual(argvOf(command.split(' '), folder), argv))
  }

  const others = ['npm exec serve', 'npm ci', 'yarn install', 'pnpm dlx serve', 'npm', 'npm --version']
  for (const command of [...others, 'npm start -w web', 'pnpm --filter web serve', 'yarn workspace web start']) {
    it(`does not change "${command}"`, () => assert.deepEqual(argvOf(command.split(' '), folder), command.split(' ')))
  }

  it('sets the variables of the package manager', () => {
    const content = chosen(['npm', 'run', 'serve'], folder)
    assert.deepEqual(content.kind === 'command' && content.env, {
      npm_lifecycle_event: 'serve',
      npm_package_name: 'shop',
      npm_package_version: '1.2.3',
    })
  })

  it('lists the available scripts if one is missing', () => {
    assert.equal(
      problemOf(['npm', 'run', 'dev'], folder),
      'package.json has no script dev; add it, or use another; available: start, serve, build',
    )
    assert.match(problemOf(['npm', 'start'], {}), /^package.json has no script start; .* available: none$/)
  })

  it('follows a script that runs another', () => {
    assert.deepEqual(argvOf(['npm', 'start'], scripts({ start: 'npm run serve', serve: 'node serve.js' })), [
      'node',
      'serve.js',
    ])
  })

  it('reports scripts that form a loop', () => {
    assert.match(problemOf(['npm', 'start'], scripts({ start: 'npm run a', a: 'npm start' })), /start/)
  })
})

describe('processes/app-command: scripts', () => {
  const argvOfStart = (start: string, more: Record<string, string> = {}) =>
    argvOf(['npm', 'start'], scripts({ start, ...more }))

  it('sets variables without a shell', () => {
    const content = chosen(['npm', 'start'], scripts({ start: 'NODE_ENV=production A="b c" node server.js' }))
    assert.ok(content.kind === 'command')
    assert.deepEqual(content.argv, ['node', 'server.js'])
    assert.equal(content.env.NODE_ENV, 'production')
    assert.equal(content.env.A, 'b c')
  })

  for (const line of [
    'node build.js && node server.js',
    'node server.js | tee log',
    'node $SCRIPT',
    'node server.js --port $PORT',
    'node *.js',
    'cat ~/x',
    'node `which x`',
    'A=1',
    '(node server.js)',
  ]) {
    it(`runs "${line}" in a shell`, () => assert.deepEqual(argvOfStart(line), ['/bin/sh', '-c', line]))
  }

  it('runs the pre-script first', () => {
    assert.deepEqual(argvOfStart('node server.js', { prestart: 'node migrate.js' }), [
      '/bin/sh',
      '-c',
      'node migrate.js && node server.js',
    ])
  })

  it('passes further words to the shell unchanged', () => {
    assert.deepEqual(
      argvOf(['npm', 'start', '--', 'a b', '$HOME'], scripts({ start: 'node a.js && node server.js' })),
      ['/bin/sh', '-c', 'node a.js && node server.js "$@"', 'sh', 'a b', '$HOME'],
    )
  })
})

describe('processes/app-command: tsx', () => {
  const loader = 'file:///app/node_modules/tsx/dist/loader.mjs'

  it('runs as a module hook of node', () => {
    assert.deepEqual(argvOf(['tsx', 'server.ts', '--x'], {}), ['node', '--import', loader, 'server.ts', '--x'])
    assert.deepEqual(argvOf(['node_modules/.bin/tsx', 'server.ts'], {}), ['node', '--import', loader, 'server.ts'])
    assert.deepEqual(argvOf(['tsx', 'watch', 'server.ts'], {}), ['node', '--import', loader, 'server.ts'])
  })

  it('also does so in a script', () => {
    assert.deepEqual(argvOf(['npm', 'start'], scripts({ start: 'NODE_ENV=x tsx server.ts' })), [
      'node',
      '--import',
      loader,
      'server.ts',
    ])
  })

  it('keeps an argument watch of the app', () => {
    assert.deepEqual(argvOf(['tsx', 'server.ts', 'watch'], {}), ['node', '--import', loader, 'server.ts', 'watch'])
  })

  it('is reported if it is not installed', () => {
    assert.equal(
      problemOf(['tsx', 'server.ts'], { tsx: false }),
      'the command tsx was not found; npm install tsx in the app',
    )
  })
})

describe('processes/app-command: no command', () => {
  it('uses the start script', () => {
    const content = chosen(undefined, { ...scripts({ start: 'node server.js' }), files: ['index.js', 'index.html'] })
    assert.equal(content.origin, 'start script of package.json')
    assert.deepEqual(content.kind === 'command' && content.argv, ['node', 'server.js'])
  })

  it('uses the main file', () => {
    assert.deepEqual(argvOf(undefined, { packageJson: { main: 'lib/app.js' }, files: ['lib/app.js'] }), [
      'node',
      'lib/app.js',
    ])
    assert.deepEqual(argvOf(undefined, { packageJson: {}, files: ['index.js'] }), ['node', 'index.js'])
  })

  const folders: [string, string][] = [
    ['index.html', '.'],
    ['public/index.html', 'public'],
    ['dist/index.html', 'dist'],
    ['build/index.html', 'build'],
  ]
  for (const [file, root] of folders) {
    it(`serves the directory of ${file}`, () => {
      const content = chosen(undefined, { files: file === 'index.html' ? ['./index.html'] : [file] })
      assert.deepEqual(content, { kind: 'files', root, origin: `${root}/index.html` })
    })
  }

  it('serves the files of a package without anything to run', () => {
    assert.equal(chosen(undefined, { packageJson: {}, files: ['dist/index.html'] }).kind, 'files')
  })

  it('skips flags that only silence a package manager', () => {
    const folder = { packageJson: { scripts: { start: 'node a.js' } } }
    for (const words of [
      ['npm', '-s', 'start'],
      ['npm', 'run', '--silent', 'start'],
      ['yarn', '-s', 'start'],
    ]) {
      assert.deepEqual(argvOf(words, folder), ['node', 'a.js'])
    }
  })

  it('passes the socket to Gunicorn by LISTEN_FDS only', () => {
    for (const bind of [['--bind', 'fd://3'], ['-b', 'fd://3'], ['--bind=fd://3'], ['-bfd://3'], []]) {
      assert.deepEqual(argvOf(['/usr/bin/gunicorn', ...bind, '-w', '2', 'a:b'], {}), [
        '/usr/bin/gunicorn',
        '-w',
        '2',
        'a:b',
      ])
    }
    const other = ['gunicorn', '--bind', '127.0.0.1:8000', 'a:b']
    assert.deepEqual(argvOf(other, {}), other)
  })

  it('does not guess if there is a package that cannot be run', () => {
    assert.match(problemOf(undefined, { packageJson: {} }), /^package.json has no start script, .*; add a start script/)
  })

  it('shows the welcome page if there is nothing', () =>
    assert.deepEqual(chosen(undefined, {}), { kind: 'welcome', origin: 'no app found' }))
})
