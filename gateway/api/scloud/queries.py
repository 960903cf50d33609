"""The actions that read: GetUSMSSendReceipt and GetProjectList."""

from gateway.api.scloud.call import Call, done
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.api.scloud.schema import Schema
from gateway.domain.report import status_item
from gateway.flow.replay import Answer

MAX_SESSIONS = 100

RECEIPTS = Schema(lists=("SessionNoSet",), required=("SessionNoSet",))
PROJECTS = Schema(texts=("IsFinance",))


async def send_receipts(call: Call) -> Answer:
    """Answer with the final messages of each session; numbers still under way are left out."""
    sessions = list(dict.fromkeys(call.bound.lists["SessionNoSet"]))
    if len(sessions) > MAX_SESSIONS:
        raise Refusal(RetCode.PARAMETER_INVALID, f"at most {MAX_SESSIONS} SessionNoSet")
    found = await call.services.receipts(call.account.id, sessions)
    language = call.account.language or call.services.settings.receipt_language
    data = []
    for session in sessions:
        if session in found:
            receipts = [status_item(message, language) for message in found[session]]
            for receipt in receipts:
                del receipt["SessionNo"]
            data.append({"SessionNo": session, "ReceiptSet": receipts})
    return done(call, "Action success", Data=data)


async def project_list(call: Call) -> Answer:
    """Answer with the account's projects."""
    projects = [
        {
            "ProjectId": project.id,
            "ProjectName": project.name,
            "CreateTime": project.created_at // 1000,
            "IsDefault": project.is_default,
            "ResourceCount": len(project.signatures) + len(project.templates),
            "MemberCount": 1,
        }
        for project in call.account.projects.values()
    ]
    return done(call, "", ProjectCount=len(projects), ProjectSet=projects)
