"""Files of texts are fetched with the account's credentials, from Twilio and nowhere else, and kept with the message."""

import ipaddress
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import public_addresses
from channels.contract import Fetched, FetchFailed
from channels.twilio import media, settings
from tests.phone.media_play import CDN, FOLDER, PICTURE, Names, Twilio, canary
from tests.phone.texting import SID, TOKEN
from tests.rows import every_row
from tests.web import ssrf_shapes


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with Twilio().running() as played:
        yield played


def fetcher(twilio: Twilio, **limits: Any) -> media.Fetcher:
    options = settings.Options(account_sid=SID, auth_token=TOKEN, api_url=limits.pop("api_url", twilio.url))
    return media.Fetcher(options, **limits)


async def fetched(twilio: Twilio, reference: str, **limits: Any) -> Fetched | FetchFailed:
    source = fetcher(twilio, **limits)
    try:
        return await source.fetch(reference)
    except FetchFailed as failure:
        return failure
    finally:
        await source.close()


def reason(outcome: Fetched | FetchFailed) -> str:
    assert isinstance(outcome, FetchFailed)
    return outcome.reason


async def test_a_file_is_fetched_with_the_accounts_credentials(twilio: Twilio) -> None:
    assert await fetched(twilio, twilio.file("ME1")) == Fetched(PICTURE, "image/jpeg")


async def test_without_the_right_token_it_is_tried_again_later(twilio: Twilio) -> None:
    source = media.Fetcher(settings.Options(account_sid=SID, auth_token="wrong", api_url=twilio.url))
    with pytest.raises(FetchFailed, match="answered 401") as failure:
        await source.fetch(twilio.file("ME1"))
    await source.close()
    assert failure.value.retryable


async def test_a_redirect_to_a_host_of_files_is_followed_without_the_credentials(twilio: Twilio) -> None:
    twilio.leads_to = f"https://{CDN}:{twilio.port}/file?signature=abc"
    names = Names({CDN: ["127.0.0.1"]})
    given = await fetched(
        twilio,
        twilio.file("elsewhere"),
        resolver=names,
        tls=twilio.tls,
        port=twilio.port,
        is_allowed=lambda address: True,
    )
    assert given == Fetched(PICTURE, "image/jpeg")
    (headers,) = twilio.handed_out
    assert "Authorization" not in headers


async def test_a_redirect_at_home_is_followed(twilio: Twilio) -> None:
    assert isinstance(await fetched(twilio, twilio.file("next")), Fetched)


async def test_a_name_is_made_safe(twilio: Twilio) -> None:
    given = await fetched(twilio, twilio.file("named"))
    assert isinstance(given, Fetched)
    assert (given.name, given.content_type) == ("_.._Rechnung März.pdf", "application/pdf")


FINAL = {
    "html": "the file is text/html, which is not kept",
    "svg": "the file is image/svg+xml, which is not kept",
    "error": "the file is application/xml, which is not kept",
    "large": "the file is larger than 100,000 bytes",
    "endless": "the file is larger than 100,000 bytes",
    "round": "the file is behind more than 3 redirects",
    "gone": "the file's host answered 410",
}


@pytest.mark.parametrize("name", FINAL)
async def test_what_can_never_be_kept_is_given_up_at_once(twilio: Twilio, name: str) -> None:
    failure = await fetched(twilio, twilio.file(name), max_size_bytes=100_000)
    assert isinstance(failure, FetchFailed)
    assert (failure.reason, failure.retryable) == (FINAL[name], False)


async def test_a_file_without_a_type_is_bytes(twilio: Twilio) -> None:
    given = await fetched(twilio, twilio.file("untyped"))
    assert isinstance(given, Fetched)
    assert given.content_type == "application/octet-stream"


async def test_a_slow_host_is_tried_again_later(twilio: Twilio) -> None:
    failure = await fetched(twilio, twilio.file("slow"), total_s=0.05)
    assert isinstance(failure, FetchFailed)
    assert (failure.reason, failure.retryable) == ("the file took longer than 0.05 s", True)


async def test_a_host_that_is_away_is_tried_again_later_and_no_link_is_told(twilio: Twilio) -> None:
    async with canary() as (port, _):
        pass
    failure = await fetched(
        twilio, f"http://127.0.0.1:{port}{FOLDER}/ME1", api_url=f"http://127.0.0.1:{port}"
    )
    assert isinstance(failure, FetchFailed)
    assert failure.retryable
    assert "ME1" not in failure.reason


REFERENCES = (
    "https://evil.example{folder}/ME1", "{url}/2010-04-01/Accounts/AC" + "f" * 32 + "/Messages/MM1/Media/ME1", "{url}/ME1",
    "{url}{folder}/../../../../../admin", "{url}{folder}/%2e%2e/x", "{url}{folder}/x/../..", "http://user:x@{place}{folder}/ME1",
    "http://127.0.0.1{folder}/ME1", "https://{place}{folder}/ME1", "file://{folder}/ME1", "//{place}{folder}/ME1", "",
    "http://[::1", "http://{place}.evil.example{folder}/ME1", "http://{place}@evil.example{folder}/ME1", "ME1", "{folder}/ME1",
)  # fmt: skip


@pytest.mark.parametrize("reference", REFERENCES)
async def test_only_files_of_the_account_at_twilio_are_asked_for(twilio: Twilio, reference: str) -> None:
    url = reference.format(url=twilio.url, place=twilio.url.removeprefix("http://"), folder=FOLDER)
    failure = await fetched(twilio, url)
    assert isinstance(failure, FetchFailed)
    assert not failure.retryable
    assert twilio.asked == []


SHAPES = (
    "https://127.0.0.1:{port}/", "https://127.0.0.2:{port}/", "https://127.1:{port}/", "https://2130706433:{port}/",
    "https://0x7f000001:{port}/", "https://0177.0.0.1:{port}/", "https://0:{port}/", "https://0.0.0.0:{port}/",
    "https://[::1]:{port}/", "https://[::]:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://[::ffff:7f00:1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/", "https://[64:ff9b::7f00:1]:{port}/", "https://[2002:7f00:1::]:{port}/",
    "https://[fe80::1%25lo]:{port}/", "https://[fc00::1]:{port}/", "https://10.0.0.1:{port}/", "https://192.168.0.1:{port}/",
    "https://172.16.0.1:{port}/", "https://100.64.0.1:{port}/", "https://169.254.169.254:{port}/latest/meta-data/",
    "https://224.0.0.1:{port}/", "https://255.255.255.255:{port}/", "https://[ff02::1]:{port}/", "https://localhost:{port}/",
    "https://LOCALHOST:{port}/", "https://localhost.:{port}/", "https://rebinding.example:{port}/",
    "https://both.example:{port}/", "https://mapped.example:{port}/", "https://nowhere.example:{port}/",
    "http://127.0.0.1:{port}/", "http://public.example:{port}/", "//127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/", "file:///etc/passwd", "unix:///run/x.sock", "https://user@public.example:{port}/",
    "https://public.example@127.0.0.1:{port}/", "https://127.0.0.1:{port}\\@public.example/", "https://public.example:22/",
    "https://public.example/", "https://[::1", "https://", "https:///", "", "https://\u2460\u2461\u2466.0.0.1:{port}/",
    "https://127.0.0.1.:{port}/", "https://①②⑦.⓪.⓪.①:{port}/", "https://api.twilio.com:{port}/", "javascript:alert(1)",
    "data:text/plain,x",
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
async def test_no_redirect_leads_into_our_own_network(twilio: Twilio, shape: str) -> None:
    """Whatever a redirect names, by address or by name, nothing of ours is connected to."""
    names = Names(
        {
            "localhost": ["127.0.0.1"],
            "localhost.": ["127.0.0.1"],
            "127.0.0.1.": ["127.0.0.1"],
            "rebinding.example": ["127.0.0.1"],
            "both.example": ["93.184.215.14", "127.0.0.1"],
            "mapped.example": ["::ffff:127.0.0.1"],
            "api.twilio.com": ["127.0.0.1"],
        }
    )
    async with canary() as (port, visitors):
        twilio.leads_to = shape.format(port=port)
        failure = await fetched(twilio, twilio.file("elsewhere"), resolver=names, port=port)
        assert isinstance(failure, FetchFailed)
        assert visitors == []


@pytest.mark.slow
async def test_no_redirect_of_three_hundred_more_leads_there_either(twilio: Twilio) -> None:
    async with canary() as (port, visitors):
        names = Names({name: list(addresses) for name, addresses in ssrf_shapes.NAMES.items()})
        source = fetcher(twilio, resolver=names, port=port)
        for shape in ssrf_shapes.SHAPES:
            twilio.leads_to = "".join(each for each in shape.format(port=port) if each.isprintable())
            with pytest.raises(FetchFailed):
                await source.fetch(twilio.file("elsewhere"))
        await source.close()
        assert visitors == []


async def test_twilio_itself_is_not_asked_where_its_name_leads_into_our_own_network(twilio: Twilio) -> None:
    """The credentials would go there: a name server that lies about api.twilio.com gets nothing."""
    async with canary() as (_, visitors):
        source = media.Fetcher(
            settings.Options(account_sid=SID, auth_token=TOKEN),
            resolver=Names({"api.twilio.com": ["127.0.0.1"]}),
        )
        with pytest.raises(FetchFailed):
            await source.fetch(f"https://api.twilio.com{FOLDER}/ME1")
        await source.close()
        assert visitors == []


PUBLIC = {
    "93.184.215.14": True, "2606:2800:220:1::1": True, "::ffff:93.184.215.14": True, "64:ff9b::5db8:d70e": True,
    "127.0.0.1": False, "10.1.2.3": False, "100.64.0.1": False, "169.254.169.254": False, "0.0.0.0": False, "::": False,
    "::1": False, "fe80::1": False, "fd00::1": False, "::ffff:10.0.0.1": False, "64:ff9b::a00:1": False,
    "2002:a00:1::": False, "224.0.0.1": False, "ff02::1": False, "198.18.0.1": False, "192.0.2.1": False,
    "::127.0.0.1": False, "::ffff:0:127.0.0.1": False, "64:ff9b:1::a00:1": False, "fec0::1": False, "5f00::1": False, "3fff::1": False,
    "192.88.99.1": False, "192.0.0.9": False, "2002:5db8:d822::1": False, "2a00:1450::5efe:7f00:1": False,
    "2001:db8::1": False, "2001:0:4136:e378:8000:63bf:3fff:fdd2": False,
}  # fmt: skip


@every_row("address", PUBLIC)
def test_which_addresses_are_public(address: str) -> None:
    assert public_addresses.is_public(ipaddress.ip_address(address)) is PUBLIC[address]


DISPOSITIONS = {
    "": "",
    "attachment": "",
    'attachment; filename="a.pdf"': "a.pdf",
    "attachment; filename=a.pdf": "a.pdf",
    'attachment; filename="a \\"b\\".pdf"': 'a "b".pdf',
    "attachment; filename=plain.pdf; filename*=UTF-8''%e2%82%ac.pdf": "€.pdf",
    "attachment; filename*=iso-8859-1'en'%A3.pdf": "£.pdf",
    "attachment; filename*0*=a; filename*1=": "",
    'attachment; filename=""': "",
}


@every_row("disposition", DISPOSITIONS)
def test_a_name_is_read_from_its_header(disposition: str) -> None:
    assert media._file_name(disposition) == DISPOSITIONS[disposition]


def test_no_header_of_a_file_stops_it() -> None:
    source = random.Random(3)
    parts = (
        "filename",
        "filename*",
        "=",
        '"',
        ";",
        "UTF-8''",
        "%E2%82",
        "%",
        "'",
        "*0",
        "../",
        "\\",
        "é",
        " ",
        "a.pdf",
    )
    for _ in range(5_000):
        name = media._file_name("".join(source.choice(parts) for _ in range(source.randrange(12))))
        assert "/" not in name
