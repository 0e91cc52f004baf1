<?php
// A vote and a tally, in PHP: signs a voter token with the site's own key.
//
//   php client.php URL KEY POLL VOTER OPTION      KEY is a line of site_key_file: "kid secret"

function b64(string $data): string
{
    return rtrim(strtr(base64_encode($data), '+/', '-_'), '=');
}

// On the server only: whoever has the key is everybody.
function voter_token(string $key, string $voter, int $seconds = 86400): string
{
    [$kid, $secret] = explode(' ', $key);
    $head = b64(json_encode(['alg' => 'HS256', 'kid' => $kid]));
    $claims = b64(json_encode(['sub' => $voter, 'exp' => time() + $seconds]));
    $secret = base64_decode(strtr($secret, '-_', '+/'));
    return "$head.$claims." . b64(hash_hmac('sha256', "$head.$claims", $secret, true));
}

// Status and JSON; 503 and 429 may be sent again later, the vote counts once.
function ask(string $method, string $url, ?array $body = null, ?string $token = null): array
{
    $fields = ['Content-Type: application/json'];
    if ($token !== null) {
        $fields[] = "Authorization: Bearer $token";
    }
    $http = ['method' => $method, 'header' => $fields, 'timeout' => 10, 'ignore_errors' => true];
    if ($body !== null) {
        $http['content'] = json_encode($body);
    }
    $answer = file_get_contents($url, false, stream_context_create(['http' => $http]));
    $status = (int) explode(' ', $http_response_header[0])[1];
    return [$status, json_decode($answer, true)];
}

[, $url, $key, $poll, $voter, $option] = $argv;
$token = voter_token($key, $voter);
[$status, $answer] = ask('POST', "$url/v1/polls/$poll/votes", ['option' => (int) $option], $token);
echo $status < 300 ? $answer['result'] : "$status {$answer['detail']}", "\n";
[, $tally] = ask('GET', "$url/v1/polls/$poll/tally");
foreach ($tally['options'] as $row) {
    echo "{$row['label']} {$row['votes']} {$row['shown']}\n";
}
