"""The kubeconfig of the real server, and the one that the proxy writes for its client."""

import base64
import dataclasses
import json
import pathlib
import ssl
import sys
import urllib.parse


@dataclasses.dataclass
class Upstream:
    host: str
    port: int
    tls: ssl.SSLContext
    token: str


def read_kubeconfig(path, folder):
    """Server and credentials of the current context. Reads JSON, and the block YAML that kubectl writes."""
    config = parse_kubeconfig(pathlib.Path(path).read_text())
    base = pathlib.Path(path).resolve().parent

    def named(section, name):
        for item in config.get(section) or []:
            if item["name"] == name:
                return item[section[:-1]]
        sys.exit(f"fault_proxy: {path} has no {section[:-1]} {name!r}")

    def file_of(entry, key):
        if entry.get(key + "-data"):
            target = folder / ("upstream-" + key)
            target.write_bytes(base64.b64decode(entry[key + "-data"]))
            target.chmod(0o600)
            return str(target)
        return str(base / entry[key]) if entry.get(key) else None

    context = named("contexts", config["current-context"])
    cluster, user = named("clusters", context["cluster"]), named("users", context["user"])
    url = urllib.parse.urlsplit(cluster["server"])
    tls = ssl.create_default_context(cafile=file_of(cluster, "certificate-authority"))
    if str(cluster.get("insecure-skip-tls-verify", "")).lower() == "true":
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if certificate := file_of(user, "client-certificate"):
        tls.load_cert_chain(certificate, file_of(user, "client-key"))
    return Upstream(url.hostname, url.port or 443, tls, user.get("token", ""))


def parse_kubeconfig(text):
    if text.lstrip().startswith("{"):
        return json.loads(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "---"))]
    return parse_block(lines, [0], 0)


def scalar(text):
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return {"{}": {}, "[]": [], "null": None}.get(text, text)


def parse_block(lines, at, indent):
    """A block of nested mappings and lists, as kubeconfig files have: no anchors, no multi-line scalars."""
    result = None
    while at[0] < len(lines):
        line = lines[at[0]]
        depth = len(line) - len(line.lstrip())
        if depth < indent:
            break
        content = line.strip()
        if content.startswith("- "):
            if result is None:
                result = []
            elif not isinstance(result, list):
                break
            lines[at[0]] = " " * (depth + 2) + content[2:]
            result.append(parse_block(lines, at, depth + 2))
            continue
        if isinstance(result, list):
            break
        result = {} if result is None else result
        key, _, value = content.partition(":")
        at[0] += 1
        if value.strip():
            result[key] = scalar(value)
        elif at[0] < len(lines):
            following = lines[at[0]]
            deeper = len(following) - len(following.lstrip())
            nested = deeper > depth or (deeper == depth and following.lstrip().startswith("- "))
            result[key] = parse_block(lines, at, deeper) if nested else None
    return result


def write_kubeconfig(folder, port):
    ca = base64.b64encode((folder / "ca.crt").read_bytes()).decode()
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "fault-proxy",
              "clusters": [{"name": "fault-proxy", "cluster": {"server": f"https://127.0.0.1:{port}",
                                                               "certificate-authority-data": ca}}],
              "users": [{"name": "fault-proxy", "user": {"token": "replaced-by-the-proxy"}}],
              "contexts": [{"name": "fault-proxy", "context": {"cluster": "fault-proxy", "user": "fault-proxy"}}]}
    # Whoever waits for the file finds it whole.
    part = folder / "kubeconfig.part"
    part.write_text(json.dumps(config, indent=1))
    part.rename(folder / "kubeconfig")
