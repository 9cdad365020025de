# ruff: noqa: E501 - patterns are data, one a line
"""Forms of secrets as data: the rules of gitleaks, https://github.com/gitleaks/gitleaks (config/gitleaks.toml).

MIT License, Copyright (c) 2019 Zachary Rice; the whole text is in the file NOTICE. A rule is its name, its words (one of
them must stand in the text, in any case), its RE2 pattern (what is secret is the first group, or the whole), the least
entropy of the secret in bits for each character, and patterns and words of what is no secret after all.
"""

from typing import Final, NamedTuple

__all__ = ["GITLEAKS", "SecretForm"]


class SecretForm(NamedTuple):
    """One rule."""

    name: str
    words: tuple[str, ...]
    pattern: str
    entropy: float = 0.0
    group: int = 0
    harmless: tuple[str, ...] = ()
    stopwords: tuple[str, ...] = ()


GITLEAKS: Final[tuple[SecretForm, ...]] = (
    SecretForm(
        "1password-secret-key",
        ("a3-",),
        "\\bA3-[A-Z0-9]{6}-(?:(?:[A-Z0-9]{11})|(?:[A-Z0-9]{6}-[A-Z0-9]{5}))-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}\\b",
        entropy=3.8,
    ),
    SecretForm("1password-service-account-token", ("ops_",), "ops_eyJ[a-zA-Z0-9+/]{250,}={0,3}", entropy=4.0),
    SecretForm(
        "adafruit-api-key",
        ("adafruit",),
        "(?i)[\\w.-]{0,50}?(?:adafruit)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9_-]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "adobe-client-id",
        ("adobe",),
        "(?i)[\\w.-]{0,50}?(?:adobe)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm("adobe-client-secret", ("p8e-",), "\\b(p8e-(?i)[a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm("age-secret-key", ("age-secret-key-1",), "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    SecretForm(
        "airtable-api-key",
        ("airtable",),
        "(?i)[\\w.-]{0,50}?(?:airtable)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{17})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("airtable-personnal-access-token", ("airtable",), "\\b(pat[[:alnum:]]{14}\\.[a-f0-9]{64})\\b"),
    SecretForm(
        "algolia-api-key",
        ("algolia",),
        "(?i)[\\w.-]{0,50}?(?:algolia)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "alibaba-access-key-id", ("ltai",), "\\b(LTAI(?i)[a-z0-9]{20})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0
    ),
    SecretForm(
        "alibaba-secret-key",
        ("alibaba",),
        "(?i)[\\w.-]{0,50}?(?:alibaba)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{30})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "anthropic-admin-api-key",
        ("sk-ant-admin01",),
        "\\b(sk-ant-admin01-[a-zA-Z0-9_\\-]{93}AA)(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "anthropic-api-key", ("sk-ant-api03",), "\\b(sk-ant-api03-[a-zA-Z0-9_\\-]{93}AA)(?:[\\x60'\"\\s;]|\\\\[nr]|$)"
    ),
    SecretForm("artifactory-api-key", ("akcp",), "\\bAKCp[A-Za-z0-9]{69}\\b", entropy=4.5),
    SecretForm("artifactory-reference-token", ("cmvmd",), "\\bcmVmd[A-Za-z0-9]{59}\\b", entropy=4.5),
    SecretForm(
        "asana-client-id",
        ("asana",),
        "(?i)[\\w.-]{0,50}?(?:asana)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "asana-client-secret",
        ("asana",),
        "(?i)[\\w.-]{0,50}?(?:asana)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "atlassian-api-token",
        ("atlassian", "confluence", "jira", "atatt3"),
        "(?i)[\\w.-]{0,50}?(?:(?-i:ATLASSIAN|[Aa]tlassian)|(?-i:CONFLUENCE|[Cc]onfluence)|(?-i:JIRA|[Jj]ira))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{20}[a-f0-9]{4})(?:[\\x60'\"\\s;]|\\\\[nr]|$)|\\b(ATATT3[A-Za-z0-9_\\-=]{186})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.5,
    ),
    SecretForm(
        "authress-service-client-access-key",
        ("sc_", "ext_", "scauth_", "authress_"),
        "\\b((?:sc|ext|scauth|authress)_(?i)[a-z0-9]{5,30}\\.[a-z0-9]{4,6}\\.(?-i:acc)[_-][a-z0-9-]{10,32}\\.[a-z0-9+/_=-]{30,120})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "aws-access-token",
        ("a3t", "akia", "asia", "abia", "acca"),
        "\\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\\b",
        entropy=3.0,
        harmless=(".+EXAMPLE$",),
    ),
    SecretForm(
        "aws-amazon-bedrock-api-key-long-lived",
        ("absk",),
        "\\b(ABSK[A-Za-z0-9+/]{109,269}={0,2})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "aws-amazon-bedrock-api-key-short-lived",
        ("bedrock-api-key-",),
        "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t",
        entropy=3.0,
    ),
    SecretForm(
        "azure-ad-client-secret",
        ("q~",),
        "(?:^|[\\\\'\"\\x60\\s>=:(,)])([a-zA-Z0-9_~.]{3}\\dQ~[a-zA-Z0-9_~.-]{31,34})(?:$|[\\\\'\"\\x60\\s<),])",
        entropy=3.0,
    ),
    SecretForm(
        "beamer-api-token",
        ("beamer",),
        "(?i)[\\w.-]{0,50}?(?:beamer)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(b_[a-z0-9=_\\-]{44})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "bitbucket-client-id",
        ("bitbucket",),
        "(?i)[\\w.-]{0,50}?(?:bitbucket)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "bitbucket-client-secret",
        ("bitbucket",),
        "(?i)[\\w.-]{0,50}?(?:bitbucket)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "bittrex-access-key",
        ("bittrex",),
        "(?i)[\\w.-]{0,50}?(?:bittrex)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "bittrex-secret-key",
        ("bittrex",),
        "(?i)[\\w.-]{0,50}?(?:bittrex)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "cisco-meraki-api-key",
        ("meraki",),
        "[\\w.-]{0,50}?(?i:[\\w.-]{0,50}?(?:(?-i:[Mm]eraki|MERAKI))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3})(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm("clickhouse-cloud-api-secret-key", ("4b1d",), "\\b(4b1d[A-Za-z0-9]{38})\\b", entropy=3.0),
    SecretForm("clojars-api-token", ("clojars_",), "(?i)CLOJARS_[a-z0-9]{60}", entropy=2.0),
    SecretForm(
        "cloudflare-api-key",
        ("cloudflare",),
        "(?i)[\\w.-]{0,50}?(?:cloudflare)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9_-]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "cloudflare-global-api-key",
        ("cloudflare",),
        "(?i)[\\w.-]{0,50}?(?:cloudflare)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{37})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "cloudflare-origin-ca-key",
        ("cloudflare", "v1.0-"),
        "\\b(v1\\.0-[a-f0-9]{24}-[a-f0-9]{146})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "codecov-access-token",
        ("codecov",),
        "(?i)[\\w.-]{0,50}?(?:codecov)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "cohere-api-token",
        ("cohere", "co_api_key"),
        "[\\w.-]{0,50}?(?i:[\\w.-]{0,50}?(?:cohere|CO_API_KEY)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3})(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-zA-Z0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm(
        "coinbase-access-token",
        ("coinbase",),
        "(?i)[\\w.-]{0,50}?(?:coinbase)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9_-]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "confluent-access-token",
        ("confluent",),
        "(?i)[\\w.-]{0,50}?(?:confluent)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "confluent-secret-key",
        ("confluent",),
        "(?i)[\\w.-]{0,50}?(?:confluent)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "contentful-delivery-api-token",
        ("contentful",),
        "(?i)[\\w.-]{0,50}?(?:contentful)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{43})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "databricks-api-token", ("dapi",), "\\b(dapi[a-f0-9]{32}(?:-\\d)?)(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.0
    ),
    SecretForm(
        "datadog-access-token",
        ("datadog",),
        "(?i)[\\w.-]{0,50}?(?:datadog)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "defined-networking-api-token",
        ("dnkey",),
        "(?i)[\\w.-]{0,50}?(?:dnkey)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(dnkey-[a-z0-9=_\\-]{26}-[a-z0-9=_\\-]{52})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "digitalocean-access-token", ("doo_v1_",), "\\b(doo_v1_[a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.0
    ),
    SecretForm("digitalocean-pat", ("dop_v1_",), "\\b(dop_v1_[a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.0),
    SecretForm("digitalocean-refresh-token", ("dor_v1_",), "(?i)\\b(dor_v1_[a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)"),
    SecretForm(
        "discord-api-token",
        ("discord",),
        "(?i)[\\w.-]{0,50}?(?:discord)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "discord-client-id",
        ("discord",),
        "(?i)[\\w.-]{0,50}?(?:discord)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9]{18})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "discord-client-secret",
        ("discord",),
        "(?i)[\\w.-]{0,50}?(?:discord)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm("doppler-api-token", ("dp.pt.",), "dp\\.pt\\.(?i)[a-z0-9]{43}", entropy=2.0),
    SecretForm(
        "droneci-access-token",
        ("droneci",),
        "(?i)[\\w.-]{0,50}?(?:droneci)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "dropbox-api-token",
        ("dropbox",),
        "(?i)[\\w.-]{0,50}?(?:dropbox)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{15})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "dropbox-long-lived-api-token",
        ("dropbox",),
        "(?i)[\\w.-]{0,50}?(?:dropbox)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{11}(AAAAAAAAAA)[a-z0-9\\-_=]{43})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "dropbox-short-lived-api-token",
        ("dropbox",),
        "(?i)[\\w.-]{0,50}?(?:dropbox)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(sl\\.[a-z0-9\\-=_]{135})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("duffel-api-token", ("duffel_",), "duffel_(?:test|live)_(?i)[a-z0-9_\\-=]{43}", entropy=2.0),
    SecretForm("dynatrace-api-token", ("dt0c01.",), "dt0c01\\.(?i)[a-z0-9]{24}\\.[a-z0-9]{64}", entropy=4.0),
    SecretForm("easypost-api-token", ("ezak",), "\\bEZAK(?i)[a-z0-9]{54}\\b", entropy=2.0),
    SecretForm("easypost-test-api-token", ("eztk",), "\\bEZTK(?i)[a-z0-9]{54}\\b", entropy=2.0),
    SecretForm(
        "etsy-access-token",
        ("etsy",),
        "(?i)[\\w.-]{0,50}?(?:(?-i:ETSY|[Ee]tsy))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{24})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "facebook-access-token",
        ("facebook",),
        "(?i)\\b(\\d{15,16}(\\||%)[0-9a-z\\-_]{27,40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "facebook-page-access-token",
        ("eaam", "eaac"),
        "\\b(EAA[MC](?i)[a-z0-9]{100,})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm(
        "facebook-secret",
        ("facebook",),
        "(?i)[\\w.-]{0,50}?(?:facebook)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "fastly-api-token",
        ("fastly",),
        "(?i)[\\w.-]{0,50}?(?:fastly)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "finicity-api-token",
        ("finicity",),
        "(?i)[\\w.-]{0,50}?(?:finicity)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "finicity-client-secret",
        ("finicity",),
        "(?i)[\\w.-]{0,50}?(?:finicity)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{20})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "finnhub-access-token",
        ("finnhub",),
        "(?i)[\\w.-]{0,50}?(?:finnhub)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{20})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "flickr-access-token",
        ("flickr",),
        "(?i)[\\w.-]{0,50}?(?:flickr)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("flutterwave-encryption-key", ("flwseck_test",), "FLWSECK_TEST-(?i)[a-h0-9]{12}", entropy=2.0),
    SecretForm("flutterwave-public-key", ("flwpubk_test",), "FLWPUBK_TEST-(?i)[a-h0-9]{32}-X", entropy=2.0),
    SecretForm("flutterwave-secret-key", ("flwseck_test",), "FLWSECK_TEST-(?i)[a-h0-9]{32}-X", entropy=2.0),
    SecretForm(
        "flyio-access-token",
        ("fo1_", "fm1", "fm2_"),
        "\\b((?:fo1_[\\w-]{43}|fm1[ar]_[a-zA-Z0-9+\\/]{100,}={0,3}|fm2_[a-zA-Z0-9+\\/]{100,}={0,3}))(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm("frameio-api-token", ("fio-u-",), "fio-u-(?i)[a-z0-9\\-_=]{64}"),
    SecretForm("freemius-secret-key", ("secret_key",), "(?i)[\"']secret_key[\"']\\s*=>\\s*[\"'](sk_[\\S]{29})[\"']"),
    SecretForm(
        "freshbooks-access-token",
        ("freshbooks",),
        "(?i)[\\w.-]{0,50}?(?:freshbooks)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "gcp-api-key",
        ("aiza",),
        "\\b(AIza[\\w-]{35})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
        harmless=(
            "AIzaSyabcdefghijklmnopqrstuvwxyz1234567",
            "AIzaSyAnLA7NfeLquW1tJFpx_eQCxoX-oo6YyIs",
            "AIzaSyCkEhVjf3pduRDt6d1yKOMitrUEke8agEM",
            "AIzaSyDMAScliyLx7F0NPDEJi1QmyCgHIAODrlU",
            "AIzaSyD3asb-2pEZVqMkmL6M9N6nHZRR_znhrh0",
            "AIzayDNSXIbFmlXbIE6mCzDLQAqITYefhixbX4A",
            "AIzaSyAdOS2zB6NCsk1pCdZ4-P6GBdi_UUPwX7c",
            "AIzaSyASWm6HmTMdYWpgMnjRBjxcQ9CKctWmLd4",
            "AIzaSyANUvH9H9BsUccjsu2pCmEkOPjjaXeDQgY",
            "AIzaSyA5_iVawFQ8ABuTZNUdcwERLJv_a_p4wtM",
            "AIzaSyA4UrcGxgwQFTfaI3no3t7Lt1sjmdnP5sQ",
            "AIzaSyDSb51JiIcB6OJpwwMicseKRhhrOq1cS7g",
            "AIzaSyBF2RrAIm4a0mO64EShQfqfd2AFnzAvvuU",
            "AIzaSyBcE-OOIbhjyR83gm4r2MFCu4MJmprNXsw",
            "AIzaSyB8qGxt4ec15vitgn44duC5ucxaOi4FmqE",
            "AIzaSyA8vmApnrHNFE0bApF4hoZ11srVL_n0nvY",
        ),
    ),
    SecretForm(
        "generic-api-key",
        ("access", "api", "auth", "key", "credential", "creds", "passwd", "password", "secret", "token"),
        "(?i)[\\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([\\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.5,
        harmless=(
            "^[a-zA-Z_.-]+$",
            "(?i)(?:access(?:ibility|or)|access[_.-]?id|random[_.-]?access|api[_.-]?(?:id|name|version)|rapid|capital|[a-z0-9-]*?api[a-z0-9-]*?:jar:|author|X-MS-Exchange-Organization-Auth|Authentication-Results|(?:credentials?[_.-]?id|withCredentials)|(?:bucket|foreign|hot|idx|natural|primary|pub(?:lic)?|schema|sequence)[_.-]?key|(?:turkey)|key[_.-]?(?:alias|board|code|frame|id|length|mesh|name|pair|press(?:ed)?|ring|selector|signature|size|stone|storetype|word|up|down|left|right)|key[_.-]?vault[_.-]?(?:id|name)|keyVaultToStoreSecrets|key(?:store|tab)[_.-]?(?:file|path)|issuerkeyhash|(?-i:[DdMm]onkey|[DM]ONKEY)|keying|(?:secret)[_.-]?(?:length|name|size)|UserSecretsId|(?:csrf)[_.-]?token|(?:io\\.jsonwebtoken[ \\t]?:[ \\t]?[\\w-]+)|(?:api|credentials|token)[_.-]?(?:endpoint|ur[il])|public[_.-]?token|(?:key|token)[_.-]?file|(?-i:(?:[A-Z_]+=\\n[A-Z_]+=|[a-z_]+=\\n[a-z_]+=)(?:\\n|\\z))|(?-i:(?:[A-Z.]+=\\n[A-Z.]+=|[a-z.]+=\\n[a-z.]+=)(?:\\n|\\z)))",
        ),
    ),
    SecretForm("github-app-token", ("ghu_", "ghs_"), "(?:ghu|ghs)_[0-9a-zA-Z]{36}", entropy=3.0),
    SecretForm("github-fine-grained-pat", ("github_pat_",), "github_pat_\\w{82}", entropy=3.0),
    SecretForm("github-oauth", ("gho_",), "gho_[0-9a-zA-Z]{36}", entropy=3.0),
    SecretForm("github-pat", ("ghp_",), "ghp_[0-9a-zA-Z]{36}", entropy=3.0),
    SecretForm("github-refresh-token", ("ghr_",), "ghr_[0-9a-zA-Z]{36}", entropy=3.0),
    SecretForm("gitlab-cicd-job-token", ("glcbt-",), "glcbt-[0-9a-zA-Z]{1,5}_[0-9a-zA-Z_-]{20}", entropy=3.0),
    SecretForm("gitlab-deploy-token", ("gldt-",), "gldt-[0-9a-zA-Z_\\-]{20}", entropy=3.0),
    SecretForm("gitlab-feature-flag-client-token", ("glffct-",), "glffct-[0-9a-zA-Z_\\-]{20}", entropy=3.0),
    SecretForm("gitlab-feed-token", ("glft-",), "glft-[0-9a-zA-Z_\\-]{20}", entropy=3.0),
    SecretForm("gitlab-incoming-mail-token", ("glimt-",), "glimt-[0-9a-zA-Z_\\-]{25}", entropy=3.0),
    SecretForm("gitlab-kubernetes-agent-token", ("glagent-",), "glagent-[0-9a-zA-Z_\\-]{50}", entropy=3.0),
    SecretForm("gitlab-oauth-app-secret", ("gloas-",), "gloas-[0-9a-zA-Z_\\-]{64}", entropy=3.0),
    SecretForm("gitlab-pat", ("glpat-",), "glpat-[\\w-]{20}", entropy=3.0),
    SecretForm(
        "gitlab-pat-routable", ("glpat-",), "\\bglpat-[0-9a-zA-Z_-]{27,300}\\.[0-9a-z]{2}[0-9a-z]{7}\\b", entropy=4.0
    ),
    SecretForm("gitlab-ptt", ("glptt-",), "glptt-[0-9a-f]{40}", entropy=3.0),
    SecretForm("gitlab-rrt", ("gr1348941",), "GR1348941[\\w-]{20}", entropy=3.0),
    SecretForm("gitlab-runner-authentication-token", ("glrt-",), "glrt-[0-9a-zA-Z_\\-]{20}", entropy=3.0),
    SecretForm(
        "gitlab-runner-authentication-token-routable",
        ("glrt-",),
        "\\bglrt-t\\d_[0-9a-zA-Z_\\-]{27,300}\\.[0-9a-z]{2}[0-9a-z]{7}\\b",
        entropy=4.0,
    ),
    SecretForm("gitlab-scim-token", ("glsoat-",), "glsoat-[0-9a-zA-Z_\\-]{20}", entropy=3.0),
    SecretForm("gitlab-session-cookie", ("_gitlab_session=",), "_gitlab_session=[0-9a-z]{32}", entropy=3.0),
    SecretForm(
        "gitter-access-token",
        ("gitter",),
        "(?i)[\\w.-]{0,50}?(?:gitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9_-]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "gocardless-api-token",
        ("live_", "gocardless"),
        "(?i)[\\w.-]{0,50}?(?:gocardless)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(live_(?i)[a-z0-9\\-_=]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "grafana-api-key",
        ("eyjrijoi",),
        "(?i)\\b(eyJrIjoi[A-Za-z0-9]{70,400}={0,3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "grafana-cloud-api-token",
        ("glc_",),
        "(?i)\\b(glc_[A-Za-z0-9+/]{32,400}={0,3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "grafana-service-account-token",
        ("glsa_",),
        "(?i)\\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "harness-api-key", ("pat.", "sat."), "(?:pat|sat)\\.[a-zA-Z0-9_-]{22}\\.[a-zA-Z0-9]{24}\\.[a-zA-Z0-9]{20}"
    ),
    SecretForm(
        "hashicorp-tf-api-token", ("atlasv1",), "(?i)[a-z0-9]{14}\\.(?-i:atlasv1)\\.[a-z0-9\\-_=]{60,70}", entropy=3.5
    ),
    SecretForm(
        "hashicorp-tf-password",
        ("administrator_login_password", "password"),
        '(?i)[\\w.-]{0,50}?(?:administrator_login_password|password)(?:[ \\t\\w.-]{0,20})[\\s\'"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60\'"\\s=]{0,5}("[a-z0-9=_\\-]{8,20}")(?:[\\x60\'"\\s;]|\\\\[nr]|$)',
        entropy=2.0,
    ),
    SecretForm(
        "heroku-api-key",
        ("heroku",),
        "(?i)[\\w.-]{0,50}?(?:heroku)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "heroku-api-key-v2", ("hrku-aa",), "\\b((HRKU-AA[0-9a-zA-Z_-]{58}))(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=4.0
    ),
    SecretForm(
        "hubspot-api-key",
        ("hubspot",),
        "(?i)[\\w.-]{0,50}?(?:hubspot)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "huggingface-access-token", ("hf_",), "\\b(hf_(?i:[a-z]{34}))(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0
    ),
    SecretForm(
        "huggingface-organization-api-token",
        ("api_org_",),
        "\\b(api_org_(?i:[a-z]{34}))(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm("infracost-api-token", ("ico-",), "\\b(ico-[a-zA-Z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.0),
    SecretForm(
        "intercom-api-key",
        ("intercom",),
        "(?i)[\\w.-]{0,50}?(?:intercom)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{60})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "intra42-client-secret",
        ("intra", "s-s4t2ud-", "s-s4t2af-"),
        "\\b(s-s4t2(?:ud|af)-(?i)[abcdef0123456789]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "jfrog-api-key",
        ("jfrog", "artifactory", "bintray", "xray"),
        "(?i)[\\w.-]{0,50}?(?:jfrog|artifactory|bintray|xray)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{73})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "jfrog-identity-token",
        ("jfrog", "artifactory", "bintray", "xray"),
        "(?i)[\\w.-]{0,50}?(?:jfrog|artifactory|bintray|xray)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "kraken-access-token",
        ("kraken",),
        "(?i)[\\w.-]{0,50}?(?:kraken)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9\\/=_\\+\\-]{80,90})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "kubernetes-secret-yaml",
        ("secret",),
        '(?i)(?:\\bkind:[ \\t]*["\']?\\bsecret\\b["\']?(?s:.){0,200}?\\bdata:(?s:.){0,100}?\\s+([\\w.-]+:(?:[ \\t]*(?:\\||>[-+]?)\\s+)?[ \\t]*(?:["\']?[a-z0-9+/]{10,}={0,3}["\']?|\\{\\{[ \\t\\w"|$:=,.-]+}}|""|\'\'))|\\bdata:(?s:.){0,100}?\\s+([\\w.-]+:(?:[ \\t]*(?:\\||>[-+]?)\\s+)?[ \\t]*(?:["\']?[a-z0-9+/]{10,}={0,3}["\']?|\\{\\{[ \\t\\w"|$:=,.-]+}}|""|\'\'))(?s:.){0,200}?\\bkind:[ \\t]*["\']?\\bsecret\\b["\']?)',
        harmless=(
            '[\\w.-]+:(?:[ \\t]*(?:\\||>[-+]?)\\s+)?[ \\t]*(?:\\{\\{[ \\t\\w"|$:=,.-]+}}|""|\'\')',
            "(kind:(?s:.)+\\n---\\n(?s:.)+\\bdata:|data:(?s:.)+\\n---\\n(?s:.)+\\bkind:)",
        ),
    ),
    SecretForm(
        "kucoin-access-token",
        ("kucoin",),
        "(?i)[\\w.-]{0,50}?(?:kucoin)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{24})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "kucoin-secret-key",
        ("kucoin",),
        "(?i)[\\w.-]{0,50}?(?:kucoin)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "launchdarkly-access-token",
        ("launchdarkly",),
        "(?i)[\\w.-]{0,50}?(?:launchdarkly)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("linear-api-key", ("lin_api_",), "lin_api_(?i)[a-z0-9]{40}", entropy=2.0),
    SecretForm(
        "linear-client-secret",
        ("linear",),
        "(?i)[\\w.-]{0,50}?(?:linear)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "linkedin-client-id",
        ("linkedin", "linked_in", "linked-in"),
        "(?i)[\\w.-]{0,50}?(?:linked[_-]?in)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{14})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "linkedin-client-secret",
        ("linkedin", "linked_in", "linked-in"),
        "(?i)[\\w.-]{0,50}?(?:linked[_-]?in)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "lob-api-key",
        ("test_", "live_"),
        "(?i)[\\w.-]{0,50}?(?:lob)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}((live|test)_[a-f0-9]{35})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "lob-pub-api-key",
        ("test_pub", "live_pub", "_pub"),
        "(?i)[\\w.-]{0,50}?(?:lob)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}((test|live)_pub_[a-f0-9]{31})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "looker-client-id",
        ("looker",),
        "(?i)[\\w.-]{0,50}?(?:looker)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{20})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "looker-client-secret",
        ("looker",),
        "(?i)[\\w.-]{0,50}?(?:looker)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{24})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mailchimp-api-key",
        ("mailchimp",),
        "(?i)[\\w.-]{0,50}?(?:MailchimpSDK.initialize|mailchimp)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32}-us\\d\\d)(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mailgun-private-api-token",
        ("mailgun",),
        "(?i)[\\w.-]{0,50}?(?:mailgun)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(key-[a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mailgun-pub-key",
        ("mailgun",),
        "(?i)[\\w.-]{0,50}?(?:mailgun)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(pubkey-[a-f0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mailgun-signing-key",
        ("mailgun",),
        "(?i)[\\w.-]{0,50}?(?:mailgun)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-h0-9]{32}-[a-h0-9]{8}-[a-h0-9]{8})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mapbox-api-token",
        ("mapbox",),
        "(?i)[\\w.-]{0,50}?(?:mapbox)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(pk\\.[a-z0-9]{60}\\.[a-z0-9]{22})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "mattermost-access-token",
        ("mattermost",),
        "(?i)[\\w.-]{0,50}?(?:mattermost)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{26})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "maxmind-license-key",
        ("_mmk",),
        "\\b([A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm(
        "messagebird-api-token",
        ("messagebird", "message-bird", "message_bird"),
        "(?i)[\\w.-]{0,50}?(?:message[_-]?bird)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{25})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "messagebird-client-id",
        ("messagebird", "message-bird", "message_bird"),
        "(?i)[\\w.-]{0,50}?(?:message[_-]?bird)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "microsoft-teams-webhook",
        ("webhook.office.com", "webhookb2", "incomingwebhook"),
        "https://[a-z0-9]+\\.webhook\\.office\\.com/webhookb2/[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}@[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}/IncomingWebhook/[a-z0-9]{32}/[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}",
    ),
    SecretForm(
        "netlify-access-token",
        ("netlify",),
        "(?i)[\\w.-]{0,50}?(?:netlify)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{40,46})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "new-relic-browser-api-token",
        ("nrjs-",),
        "(?i)[\\w.-]{0,50}?(?:new-relic|newrelic|new_relic)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(NRJS-[a-f0-9]{19})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "new-relic-insert-key",
        ("nrii-",),
        "(?i)[\\w.-]{0,50}?(?:new-relic|newrelic|new_relic)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(NRII-[a-z0-9-]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "new-relic-user-api-id",
        ("new-relic", "newrelic", "new_relic"),
        "(?i)[\\w.-]{0,50}?(?:new-relic|newrelic|new_relic)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "new-relic-user-api-key",
        ("nrak",),
        "(?i)[\\w.-]{0,50}?(?:new-relic|newrelic|new_relic)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(NRAK-[a-z0-9]{27})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "notion-api-token",
        ("ntn_",),
        "\\b(ntn_[0-9]{11}[A-Za-z0-9]{32}[A-Za-z0-9]{3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm("npm-access-token", ("npm_",), "(?i)\\b(npm_[a-z0-9]{36})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm(
        "nuget-config-password",
        ("<add key=",),
        '(?i)<add key=\\"(?:(?:ClearText)?Password)\\"\\s*value=\\"(.{8,})\\"\\s*/>',
        entropy=1.0,
        harmless=("33f!!lloppa", "hal\\+9ooo_da!sY", "^\\%\\S.*\\%$"),
    ),
    SecretForm(
        "nytimes-access-token",
        ("nytimes", "new-york-times", "newyorktimes"),
        "(?i)[\\w.-]{0,50}?(?:nytimes|new-york-times,|newyorktimes)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9=_\\-]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("octopus-deploy-api-key", ("api-",), "\\b(API-[A-Z0-9]{26})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.0),
    SecretForm(
        "okta-access-token",
        ("okta",),
        "[\\w.-]{0,50}?(?i:[\\w.-]{0,50}?(?:(?-i:[Oo]kta|OKTA))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3})(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(00[\\w=\\-]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=4.0,
    ),
    SecretForm(
        "openai-api-key",
        ("t3blbkfj",),
        "\\b(sk-(?:proj|svcacct|admin)-(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})T3BlbkFJ(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})\\b|sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm("openshift-user-token", ("sha256~",), "\\b(sha256~[\\w-]{43})(?:[^\\w-]|\\z)", entropy=3.5),
    SecretForm(
        "perplexity-api-key", ("pplx-",), "\\b(pplx-[a-zA-Z0-9]{48})(?:[\\x60'\"\\s;]|\\\\[nr]|$|\\b)", entropy=4.0
    ),
    SecretForm(
        "plaid-api-token",
        ("plaid",),
        "(?i)[\\w.-]{0,50}?(?:plaid)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "plaid-client-id",
        ("plaid",),
        "(?i)[\\w.-]{0,50}?(?:plaid)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{24})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.5,
    ),
    SecretForm(
        "plaid-secret-key",
        ("plaid",),
        "(?i)[\\w.-]{0,50}?(?:plaid)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{30})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.5,
    ),
    SecretForm(
        "planetscale-api-token",
        ("pscale_tkn_",),
        "\\b(pscale_tkn_(?i)[\\w=\\.-]{32,64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "planetscale-oauth-token",
        ("pscale_oauth_",),
        "\\b(pscale_oauth_[\\w=\\.-]{32,64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "planetscale-password",
        ("pscale_pw_",),
        "(?i)\\b(pscale_pw_(?i)[\\w=\\.-]{32,64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "postman-api-token",
        ("pmak-",),
        "\\b(PMAK-(?i)[a-f0-9]{24}\\-[a-f0-9]{34})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm("prefect-api-token", ("pnu_",), "\\b(pnu_[a-zA-Z0-9]{36})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm(
        "privateai-api-token",
        ("privateai", "private_ai", "private-ai"),
        "[\\w.-]{0,50}?(?i:[\\w.-]{0,50}?(?:private[_-]?ai)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3})(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{32})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm("pulumi-api-token", ("pul-",), "\\b(pul-[a-f0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm("pypi-upload-token", ("pypi-ageichlwas5vcmc",), "pypi-AgEIcHlwaS5vcmc[\\w-]{50,1000}", entropy=3.0),
    SecretForm(
        "rapidapi-access-token",
        ("rapidapi",),
        "(?i)[\\w.-]{0,50}?(?:rapidapi)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9_-]{50})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("readme-api-token", ("rdme_",), "\\b(rdme_[a-z0-9]{70})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm(
        "rubygems-api-token", ("rubygems_",), "\\b(rubygems_[a-f0-9]{48})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0
    ),
    SecretForm("scalingo-api-token", ("tk-us-",), "\\b(tk-us-[\\w-]{48})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0),
    SecretForm(
        "sendbird-access-id",
        ("sendbird",),
        "(?i)[\\w.-]{0,50}?(?:sendbird)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "sendbird-access-token",
        ("sendbird",),
        "(?i)[\\w.-]{0,50}?(?:sendbird)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "sendgrid-api-token", ("sg.",), "\\b(SG\\.(?i)[a-z0-9=_\\-\\.]{66})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=2.0
    ),
    SecretForm(
        "sendinblue-api-token",
        ("xkeysib-",),
        "\\b(xkeysib-[a-f0-9]{64}\\-(?i)[a-z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "sentry-access-token",
        ("sentry",),
        "(?i)[\\w.-]{0,50}?(?:sentry)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "sentry-org-token",
        ("sntrys_eyjpyxqio",),
        "\\bsntrys_eyJpYXQiO[a-zA-Z0-9+/]{10,200}(?:LCJyZWdpb25fdXJs|InJlZ2lvbl91cmwi|cmVnaW9uX3VybCI6)[a-zA-Z0-9+/]{10,200}={0,2}_[a-zA-Z0-9+/]{43}(?:[^a-zA-Z0-9+/]|\\z)",
        entropy=4.5,
    ),
    SecretForm("sentry-user-token", ("sntryu_",), "\\b(sntryu_[a-f0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=3.5),
    SecretForm(
        "settlemint-application-access-token",
        ("sm_aat",),
        "\\b(sm_aat_[a-zA-Z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "settlemint-personal-access-token",
        ("sm_pat",),
        "\\b(sm_pat_[a-zA-Z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "settlemint-service-access-token",
        ("sm_sat",),
        "\\b(sm_sat_[a-zA-Z0-9]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "shippo-api-token",
        ("shippo_",),
        "\\b(shippo_(?:live|test)_[a-fA-F0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm("shopify-access-token", ("shpat_",), "shpat_[a-fA-F0-9]{32}", entropy=2.0),
    SecretForm("shopify-custom-access-token", ("shpca_",), "shpca_[a-fA-F0-9]{32}", entropy=2.0),
    SecretForm("shopify-private-app-access-token", ("shppa_",), "shppa_[a-fA-F0-9]{32}", entropy=2.0),
    SecretForm("shopify-shared-secret", ("shpss_",), "shpss_[a-fA-F0-9]{32}", entropy=2.0),
    SecretForm(
        "sidekiq-secret",
        ("bundle_enterprise__contribsys__com", "bundle_gems__contribsys__com"),
        "(?i)[\\w.-]{0,50}?(?:BUNDLE_ENTERPRISE__CONTRIBSYS__COM|BUNDLE_GEMS__CONTRIBSYS__COM)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{8}:[a-f0-9]{8})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "sidekiq-sensitive-url",
        ("gems.contribsys.com", "enterprise.contribsys.com"),
        "(?i)\\bhttps?://([a-f0-9]{8}:[a-f0-9]{8})@(?:gems.contribsys.com|enterprise.contribsys.com)(?:[\\/|\\#|\\?|:]|$)",
    ),
    SecretForm("slack-app-token", ("xapp",), "(?i)xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]+", entropy=2.0),
    SecretForm("slack-bot-token", ("xoxb",), "xoxb-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*", entropy=3.0),
    SecretForm(
        "slack-config-access-token", ("xoxe.xoxb-", "xoxe.xoxp-"), "(?i)xoxe.xox[bp]-\\d-[A-Z0-9]{163,166}", entropy=2.0
    ),
    SecretForm("slack-config-refresh-token", ("xoxe-",), "(?i)xoxe-\\d-[A-Z0-9]{146}", entropy=2.0),
    SecretForm("slack-legacy-bot-token", ("xoxb",), "xoxb-[0-9]{8,14}-[a-zA-Z0-9]{18,26}", entropy=2.0),
    SecretForm("slack-legacy-token", ("xoxo", "xoxs"), "xox[os]-\\d+-\\d+-\\d+-[a-fA-F\\d]+", entropy=2.0),
    SecretForm("slack-legacy-workspace-token", ("xoxa", "xoxr"), "xox[ar]-(?:\\d-)?[0-9a-zA-Z]{8,48}", entropy=2.0),
    SecretForm("slack-user-token", ("xoxp-", "xoxe-"), "xox[pe](?:-[0-9]{10,13}){3}-[a-zA-Z0-9-]{28,34}", entropy=2.0),
    SecretForm(
        "slack-webhook-url",
        ("hooks.slack.com",),
        "(?:https?://)?hooks.slack.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{43,56}",
    ),
    SecretForm(
        "snyk-api-token",
        ("snyk",),
        "(?i)[\\w.-]{0,50}?(?:snyk[_.-]?(?:(?:api|oauth)[_.-]?)?(?:key|token))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "sonar-api-token",
        ("sonar",),
        "(?i)[\\w.-]{0,50}?(?:sonar[_.-]?(login|token))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}((?:squ_|sqp_|sqa_)?[a-z0-9=_\\-]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        group=2,
    ),
    SecretForm(
        "sourcegraph-access-token",
        ("sgp_", "sourcegraph"),
        "(?i)\\b(\\b(sgp_(?:[a-fA-F0-9]{16}|local)_[a-fA-F0-9]{40}|sgp_[a-fA-F0-9]{40}|[a-fA-F0-9]{40})\\b)(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "square-access-token",
        ("sq0atp-", "eaaa"),
        "\\b((?:EAAA|sq0atp-)[\\w-]{22,60})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "squarespace-access-token",
        ("squarespace",),
        "(?i)[\\w.-]{0,50}?(?:squarespace)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "stripe-access-token",
        ("sk_test", "sk_live", "sk_prod", "rk_test", "rk_live", "rk_prod"),
        "\\b((?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=2.0,
    ),
    SecretForm(
        "sumologic-access-id",
        ("sumo",),
        "[\\w.-]{0,50}?(?i:[\\w.-]{0,50}?(?:(?-i:[Ss]umo|SUMO))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3})(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(su[a-zA-Z0-9]{12})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "sumologic-access-token",
        ("sumo",),
        "(?i)[\\w.-]{0,50}?(?:(?-i:[Ss]umo|SUMO))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{64})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.0,
    ),
    SecretForm(
        "telegram-bot-api-token",
        ("telegr",),
        "(?i)[\\w.-]{0,50}?(?:telegr)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9]{5,16}:(?-i:A)[a-z0-9_\\-]{34})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "travisci-access-token",
        ("travis",),
        "(?i)[\\w.-]{0,50}?(?:travis)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{22})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("twilio-api-key", ("sk",), "SK[0-9a-fA-F]{32}", entropy=3.0),
    SecretForm(
        "twitch-api-token",
        ("twitch",),
        "(?i)[\\w.-]{0,50}?(?:twitch)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{30})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "twitter-access-secret",
        ("twitter",),
        "(?i)[\\w.-]{0,50}?(?:twitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{45})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "twitter-access-token",
        ("twitter",),
        "(?i)[\\w.-]{0,50}?(?:twitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([0-9]{15,25}-[a-zA-Z0-9]{20,40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "twitter-api-key",
        ("twitter",),
        "(?i)[\\w.-]{0,50}?(?:twitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{25})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "twitter-api-secret",
        ("twitter",),
        "(?i)[\\w.-]{0,50}?(?:twitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{50})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "twitter-bearer-token",
        ("twitter",),
        "(?i)[\\w.-]{0,50}?(?:twitter)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(A{22}[a-zA-Z0-9%]{80,100})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "typeform-api-token",
        ("tfp_",),
        "(?i)[\\w.-]{0,50}?(?:typeform)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(tfp_[a-z0-9\\-_\\.=]{59})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm("vault-batch-token", ("hvb.",), "\\b(hvb\\.[\\w-]{138,300})(?:[\\x60'\"\\s;]|\\\\[nr]|$)", entropy=4.0),
    SecretForm(
        "vault-service-token",
        ("hvs.", "s."),
        "\\b((?:hvs\\.[\\w-]{90,120}|s\\.(?i:[a-z0-9]{24})))(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
        entropy=3.5,
        harmless=("s\\.[A-Za-z]{24}",),
    ),
    SecretForm(
        "yandex-access-token",
        ("yandex",),
        "(?i)[\\w.-]{0,50}?(?:yandex)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(t1\\.[A-Z0-9a-z_-]+[=]{0,2}\\.[A-Z0-9a-z_-]{86}[=]{0,2})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "yandex-api-key",
        ("yandex",),
        "(?i)[\\w.-]{0,50}?(?:yandex)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(AQVN[A-Za-z0-9_\\-]{35,38})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "yandex-aws-access-token",
        ("yandex",),
        "(?i)[\\w.-]{0,50}?(?:yandex)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}(YC[a-zA-Z0-9_\\-]{38})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
    SecretForm(
        "zendesk-secret-key",
        ("zendesk",),
        "(?i)[\\w.-]{0,50}?(?:zendesk)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-z0-9]{40})(?:[\\x60'\"\\s;]|\\\\[nr]|$)",
    ),
)
