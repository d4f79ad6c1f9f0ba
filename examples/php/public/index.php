<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/slow') {
    sleep(1);
    exit('done');
}
if ($path === '/echo') {
    readfile('php://input');
    exit;
}
header('Content-Type: application/json');
echo json_encode([
    'app' => 'php',
    'worker' => getenv('MONOHULL_WORKER'),
    'protocol' => $_SERVER['REQUEST_SCHEME'],
    'client' => $_SERVER['REMOTE_ADDR'],
]);
