"""A provider's system in a container: it verifies each webhook and accepts every offer.

`POST /credentials` tells it its webhook secret and its token, and `GET /received` shows what it verified.
"""

from aiohttp import ClientSession, web
from standardwebhooks import Webhook

credentials: dict[str, str] = {}
received: list[str] = []
answers: list[int] = []


async def receive(request: web.Request) -> web.Response:
    event = Webhook(credentials["secret"]).verify(await request.read(), dict(request.headers))
    received.append(event["type"])
    if event["type"] == "offer.made":
        headers = {"Authorization": f"Bearer {credentials['token']}"}
        async with (
            ClientSession(headers=headers) as session,
            session.post(event["data"]["links"]["accept"]) as response,
        ):
            answers.append(response.status)
    return web.Response(status=204)


async def store_credentials(request: web.Request) -> web.Response:
    credentials.update(await request.json())
    return web.Response(status=204)


async def show(_: web.Request) -> web.Response:
    return web.json_response({"received": received, "answers": answers})


async def answer_ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/providers/{provider_id}/webhooks", receive)
    app.router.add_post("/credentials", store_credentials)
    app.router.add_get("/received", show)
    app.router.add_get("/readyz", answer_ready)
    web.run_app(app, host="0.0.0.0", port=8080, print=None)
