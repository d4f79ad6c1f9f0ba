<?php
// a page of about 50 KB, with a few milliseconds of work, as a page of WordPress with opcache
header('Content-Type: text/html; charset=utf-8');
$rows = [];
for ($row = 0; $row < 400; $row++) $rows[] = ['id' => $row, 'title' => md5((string) $row), 'text' => str_repeat("word $row ", 5)];
usort($rows, fn ($one, $other) => strcmp($one['title'], $other['title']));
echo '<!doctype html><title>page</title><ul>';
foreach ($rows as $row) {
    $text = preg_replace_callback('/\b(\w)/', fn ($match) => strtoupper($match[1]), htmlspecialchars($row['text']));
    printf("<li id=\"%d\"><b>%s</b> %s</li>\n", $row['id'], $row['title'], $text);
}
echo '</ul>';
