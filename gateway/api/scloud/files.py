"""`/files/ID?expires=…&signature=…`: what the links of QueryUSMSSignatureQualification lead to."""

from aiohttp import web

from gateway.errors import NotFound, StoreUnavailable
from gateway.flow.papers import Papers
from gateway.web.files import file_response


class FileDoor:
    """Hands a file to whoever has a link that is signed and has not expired."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with the file; 404 for anything else, whatever is wrong with the link."""
        query = request.query
        try:
            handed = await self._papers.by_link(
                request.match_info["file_id"], query.get("expires", ""), query.get("signature", "")
            )
        except NotFound:
            raise web.HTTPNotFound from None
        except StoreUnavailable:
            raise web.HTTPServiceUnavailable from None
        return file_response(handed.path, handed.type, handed.name)
