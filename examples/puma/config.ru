require 'json'

run lambda { |env|
  body =
    case env['PATH_INFO']
    when '/slow'
      sleep 1
      'done'
    when '/echo'
      env['rack.input'].read
    else
      JSON.generate(app: 'puma', worker: ENV['MONOHULL_WORKER'], protocol: env['rack.url_scheme'])
    end
  [200, { 'content-type' => 'text/plain' }, [body]]
}
