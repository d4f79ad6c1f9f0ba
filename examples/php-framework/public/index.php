<?php

require __DIR__ . '/../src/Queue.php';
require __DIR__ . '/../src/Router.php';

$router = new Router();
$router->get('/', fn () => json_encode([
    'app' => 'php-framework',
    'worker' => getenv('MONOHULL_WORKER'),
    'protocol' => $_SERVER['REQUEST_SCHEME'],
]));
$router->get('/slow', function () {
    sleep(1);
    return 'done';
});
$router->post('/echo', fn () => file_get_contents('php://input'));
$router->post('/mails', fn () => (new Queue())->push(file_get_contents('php://input')));
$router->respond($_SERVER['REQUEST_METHOD'], parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
