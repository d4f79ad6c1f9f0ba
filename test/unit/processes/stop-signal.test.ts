import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultStopSignal } from '../../../supervisor/processes/stop-signal.ts'

const signalOf = (command: string) => defaultStopSignal(command.split(' '))

describe('processes/stop-signal', () => {
  it('is what the manual of a program says', () => {
    for (const command of [
      'unicorn config.ru',
      '/usr/bin/unicorn_rails -E production',
      'bundle exec unicorn',
      'env RACK_ENV=production bundle exec unicorn',
      'RACK_ENV=production exec unicorn',
      'ruby /usr/bin/unicorn config.ru',
      'carton exec -- starman app.psgi',
      'perl /usr/bin/hypnotoad -f app.pl',
      '/usr/sbin/php-fpm8.2 -F',
      'tini -- php-fpm',
    ])
      assert.equal(signalOf(command), 'SIGQUIT', command)
    assert.equal(signalOf('apache2 -DFOREGROUND'), 'SIGWINCH')
    assert.equal(signalOf('haproxy -f haproxy.cfg'), 'SIGUSR1')
    assert.equal(signalOf('lighttpd -D -f lighttpd.conf'), 'SIGINT')
  })

  it('is SIGTERM for all others, whatever their arguments are called', () => {
    for (const command of [
      'gunicorn app:app',
      'puma',
      'node nginx',
      'python3 unicorn',
      'my-php-fpm',
      'php -S x',
      'env',
      '',
    ])
      assert.equal(signalOf(command), 'SIGTERM', command)
  })

  it('is that of the program that takes the place of a shell', () => {
    assert.equal(defaultStopSignal(['sh', '-c', 'exec unicorn config.ru']), 'SIGQUIT')
    assert.equal(defaultStopSignal(['/bin/bash', '-c', 'cd web && exec unicorn']), 'SIGTERM')
    assert.equal(defaultStopSignal(['sh', '-c']), 'SIGTERM')
  })
})
