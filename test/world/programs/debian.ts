import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installedDirectory } from '../npm.ts'
import type { Program } from '../site.ts'
import { writeFiles } from './files.ts'
import { fieldOf } from './forms.ts'

const python = '/usr/bin/python3'

const django: Program = {
  name: 'Django on Gunicorn: a login to its admin pages',
  directory() {
    const directory = installedDirectory('django')
    rmSync(directory, { recursive: true, force: true })
    installedDirectory('django')
    const run = (...words: string[]) =>
      execFileSync(python, words, {
        cwd: directory,
        stdio: 'ignore',
        env: { ...process.env, DJANGO_SUPERUSER_PASSWORD: 'secret' },
      })
    run('-m', 'django', 'startproject', 'world', '.')
    appendFileSync(
      join(directory, 'world/settings.py'),
      `ALLOWED_HOSTS = ['localhost']
SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
`,
    )
    run('manage.py', 'migrate')
    run('manage.py', 'createsuperuser', '--noinput', '--username', 'admin', '--email', 'a@b.test')
    return directory
  },
  configuration: { app: { command: 'gunicorn --bind fd://3 world.wsgi', keepalive: 0 } },
  page: '/admin/login/',
  async use({ send, origin }) {
    const form = await send('/admin/login/?next=/admin/')
    const body = new URLSearchParams({
      username: 'admin',
      password: 'secret',
      next: '/admin/',
      csrfmiddlewaretoken: fieldOf(form.text, 'csrfmiddlewaretoken'),
    })
    const headers = { origin, referer: `${origin}/admin/login/` }
    const sent = await send('/admin/login/', { method: 'POST', body, headers })
    assert.equal(sent.status, 302, sent.text)
    assert.match((await send('/admin/')).text, /Site administration/)
  },
}

const fastApi: Program = {
  name: 'FastAPI on Uvicorn: a WebSocket',
  directory() {
    const directory = installedDirectory('fastapi')
    writeFiles(directory, {
      'main.py': `from fastapi import FastAPI, WebSocket
app = FastAPI()

@app.get("/items/{item}")
async def read(item: int):
    return {"item": item}

@app.websocket("/ws")
async def talk(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text("heard " + await socket.receive_text())
`,
    })
    return directory
  },
  configuration: { app: { command: 'uvicorn --fd 3 main:app' } },
  page: '/items/7',
  async use({ send, port }) {
    assert.equal((await send('/items/x')).status, 422)
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`wss://localhost:${port}/ws`, { rejectUnauthorized: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const heard = new Promise(resolve => socket.once('message', data => resolve(String(data))))
    socket.send('hi')
    assert.equal(await heard, 'heard hi')
    socket.terminate()
  },
}

const flask: Program = {
  name: 'Flask: a form with a token, and an upload',
  directory() {
    const directory = installedDirectory('flask')
    writeFiles(directory, {
      'app.py': `from flask import Flask, redirect, render_template_string, request, session, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField
from werkzeug.middleware.proxy_fix import ProxyFix
app = Flask(__name__)
app.secret_key = "world"
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)

class Form(FlaskForm):
    name = StringField()
    upload = FileField()

@app.route("/", methods=["GET", "POST"])
def index():
    form = Form()
    if form.validate_on_submit():
        session["said"] = f"{form.name.data} {len(form.upload.data.read())}"
        return redirect(url_for("said", _external=True))
    return render_template_string("<form method=post>{{ form.csrf_token }}</form>{{ form.errors }}", form=form)

@app.route("/said")
def said():
    return session["said"]
`,
    })
    return directory
  },
  configuration: { app: { command: 'gunicorn --bind fd://3 app:app', keepalive: 0 } },
  page: '/',
  async use({ send, origin }) {
    const page = await send('/')
    const form = new FormData()
    form.set('csrf_token', fieldOf(page.text, 'csrf_token'))
    form.set('name', 'world')
    form.set('upload', new Blob(['x'.repeat(2_000_000)]), 'x.txt')
    const sent = await send('/', { method: 'POST', body: form, headers: { referer: `${origin}/` } })
    assert.equal(sent.status, 302, sent.text)
    assert.equal(sent.headers.get('location'), `${origin}/said`)
    assert.equal((await send('/said')).text, 'world 2000000')
  },
}

const sinatra: Program = {
  name: 'Sinatra on Puma: a form, behind its protection',
  directory() {
    const directory = installedDirectory('sinatra')
    writeFiles(directory, {
      'config.ru': `require 'sinatra/base'
class World < Sinatra::Base
  enable :sessions
  get('/') { 'hello' }
  post('/') { session[:name] = params[:name]; redirect to('/name') }
  get('/name') { session[:name] }
end
run World
`,
    })
    return directory
  },
  configuration: { app: { command: 'puma --bind-to-activated-sockets=only' } },
  env: { APP_ENV: 'production', SESSION_SECRET: 'x'.repeat(64) },
  page: '/',
  async use({ send, origin }) {
    const sent = await send('/', { method: 'POST', body: new URLSearchParams({ name: 'world' }), headers: { origin } })
    assert.equal(sent.headers.get('location'), `${origin}/name`, sent.text)
  },
}

const goServer: Program = {
  name: 'webhook, a server in Go: a hook that is called',
  directory() {
    const directory = installedDirectory('webhook')
    writeFiles(directory, {
      'hooks.json': JSON.stringify([
        {
          id: 'say',
          'execute-command': '/bin/echo',
          'include-command-output-in-response': true,
          'pass-arguments-to-command': [{ source: 'payload', name: 'name' }],
        },
      ]),
    })
    return directory
  },
  configuration: { app: { command: 'webhook -hooks hooks.json -ip 127.0.0.1 -port $PORT', listen: 'port' } },
  page: '/',
  async use({ sendJson }) {
    const sent = await sendJson('/hooks/say', { name: 'world' })
    assert.equal(sent.text.trim(), 'world')
  },
}

const starman: Program = {
  name: 'Starman with Dancer: a template',
  directory() {
    const directory = installedDirectory('starman')
    if (!existsSync(join(directory, 'World')))
      execFileSync('dancer2', ['gen', '-a', 'World'], { cwd: directory, stdio: 'ignore' })
    return join(directory, 'World')
  },
  configuration: { app: { command: 'starman --workers 2 --listen 127.0.0.1:$PORT bin/app.psgi', listen: 'port' } },
  page: '/',
  async use({ send }) {
    assert.match((await send('/')).text, /Perl is dancing/)
  },
}

/** Programs of Debian, with the Debian packages that they need. */
export const debianPrograms = [django, fastApi, flask, sinatra, goServer, starman]
