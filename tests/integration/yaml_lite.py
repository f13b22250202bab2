"""The few fields of a kubeconfig that `cluster up` or the fault proxy wrote: its lines are `key: value`, each key once."""
import re


def load_kubeconfig(path):
    text = open(path, encoding="utf-8").read()

    def value(key):
        found = re.search(rf"^\s*-?\s*\"?{key}\"?:\s*\"?([^\s\",]+)\"?,?\s*$", text, re.M)
        return found.group(1) if found else None

    config = {"server": value("server"), "ca": value("certificate-authority-data")}
    if value("client-certificate-data"):
        config["cert"], config["key"] = value("client-certificate-data"), value("client-key-data")
    return config
