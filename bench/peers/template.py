"""A create endpoint as the well-known full-stack template writes one: FastAPI, SQLModel, a synchronous session.

A user is loaded at every request by the subject of its token (password grant, HS256); a row is added, committed and
read back. One row is all that it writes: no answer is kept for repetition, and there is no event, log or job.
"""

import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from jose import JWTError, jwt
from sqlmodel import Field, Session, SQLModel, create_engine, select

SECRET = os.environ["TEMPLATE_SECRET"]
MINUTES = 60 * 24 * 8
engine = create_engine(os.environ["TEMPLATE_DATABASE_URL"])


class User(SQLModel, table=True):
    """Somebody who may log in."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(unique=True, index=True, max_length=255)
    is_active: bool = True
    hashed_password: str


class RecordBase(SQLModel):
    """What a record and the body that asks for it have in common."""

    contract_id: UUID = Field(index=True)
    milestone_code: str = Field(max_length=40)
    status: str = Field(max_length=20)
    occurred_on: date
    note: str | None = Field(default=None, max_length=4000)


class RecordCreate(RecordBase):
    """The body."""


class Record(RecordBase, table=True):
    """The row."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="user.id", nullable=False, ondelete="CASCADE")


class RecordPublic(RecordBase):
    """The answer."""

    id: UUID
    owner_id: UUID


class Token(SQLModel):
    """What a login gives."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105


def hashed(password: str, salt: bytes) -> str:
    """A password as it is kept."""
    return salt.hex() + hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()


def get_db() -> Iterator[Session]:
    """A session for each request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_db)]
TokenDep = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/login/access-token"))]


def get_current_user(session: SessionDep, token: TokenDep) -> User:
    """The user whom the token names."""
    try:
        payload = jwt.decode(token, SECRET, algorithms=["HS256"])
    except JWTError as error:
        raise HTTPException(403, "Could not validate credentials") from error
    user = session.get(User, UUID(payload["sub"]))
    if user is None:
        raise HTTPException(404, "User not found")
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
app = FastAPI()


@app.post("/login/access-token")
def login(session: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    """A token for a password."""
    user = session.exec(select(User).where(User.email == form.username)).first()
    kept = user.hashed_password if user else hashed("", b"")
    if user is None or not hmac.compare_digest(hashed(form.password, bytes.fromhex(kept[:32])), kept):
        raise HTTPException(400, "Incorrect email or password")
    claims = {"exp": datetime.now(UTC) + timedelta(minutes=MINUTES), "sub": str(user.id)}
    return Token(access_token=jwt.encode(claims, SECRET, algorithm="HS256"))


@app.post("/records/", response_model=RecordPublic)
def create_record(*, session: SessionDep, current_user: CurrentUser, record_in: RecordCreate) -> Any:
    """Create a record."""
    record = Record.model_validate(record_in, update={"owner_id": current_user.id})
    session.add(record)
    session.commit()
    session.refresh(record)
    return record


def prepare(people: dict[str, str]) -> None:
    """The tables, and these users with their passwords."""
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        for email, password in people.items():
            session.add(User(email=email, hashed_password=hashed(password, os.urandom(16))))
        session.commit()


if __name__ == "__main__":
    prepare(json.loads(sys.argv[1]))
