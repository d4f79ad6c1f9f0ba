document.querySelector('h1').textContent = location.pathname
const log = document.querySelector('pre')
const show = text => {
  log.textContent += `${text}\n`
}

show(await (await fetch('/api/who')).text())
const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/capture`)
socket.addEventListener('open', () => socket.send('hello'))
socket.addEventListener('message', event => show(event.data))
