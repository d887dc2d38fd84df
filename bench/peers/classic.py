"""The peer: the classic API as most would write it, in FastAPI and SQLAlchemy with sync endpoints.

It reads the stock, checks it and writes it back, without a lock: two buyers at once may get the same unit. `LOCKED=1`
is the same with the rows locked in the order of their ids, so that speed is compared where both are right. As our shop
does, it logs a line for each request (uvicorn's own) and one for each order.
"""

import os
from collections.abc import Iterator
from typing import Annotated

import structlog
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

LOCKED = os.environ.get("LOCKED") == "1"
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
engine = create_engine(url, pool_size=10, max_overflow=10)
Sessions = sessionmaker(engine, autoflush=False)
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
log = structlog.wrap_logger(
    structlog.PrintLogger(),
    processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    description: Mapped[str] = mapped_column(Text)
    price: Mapped[float]
    stock: Mapped[int] = mapped_column(default=0)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total_price: Mapped[float] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20), default="pending")
    items: Mapped[list["OrderItem"]] = relationship(back_populates="order")


class OrderItem(Base):
    __tablename__ = "order_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    price_at_time: Mapped[float]
    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()

    @property
    def product_name(self) -> str:
        return self.product.name

    @property
    def subtotal(self) -> float:
        return self.quantity * self.price_at_time


class Line(BaseModel):
    product_id: int = Field(gt=0)
    quantity: int = Field(gt=0)


class NewOrder(BaseModel):
    products: list[Line] = Field(min_length=1)


class FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ItemAnswer(FromRow):
    product_id: int
    product_name: str
    quantity: int
    price_at_time: float
    subtotal: float


class OrderAnswer(FromRow):
    id: int
    items: list[ItemAnswer]
    total_price: float
    status: str


class ProductAnswer(FromRow):
    id: int
    name: str
    description: str
    price: float
    stock: int


def session() -> Iterator[Session]:
    with Sessions() as opened:
        yield opened


Database = Annotated[Session, Depends(session)]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/product/all_products")
def all_products(
    db: Database, skip: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=0)] = 100
) -> list[ProductAnswer]:
    return db.scalars(select(Product).order_by(Product.id).offset(skip).limit(limit)).all()


@app.post("/order/create_order", status_code=201)
def create_order(wanted: NewOrder, db: Database) -> OrderAnswer:
    order = Order(status="completed", total_price=0)
    db.add(order)
    db.flush()
    for line in sorted(wanted.products, key=lambda line: line.product_id) if LOCKED else wanted.products:
        found = select(Product).where(Product.id == line.product_id)
        product = db.scalars(found.with_for_update() if LOCKED else found).first()
        if product is None:
            raise HTTPException(400, f"Product with ID {line.product_id} not found")
        if product.stock < line.quantity:
            raise HTTPException(400, f"Insufficient stock for product {product.id} : {product.name}")
        product.stock -= line.quantity
        db.add(OrderItem(order_id=order.id, product_id=product.id, quantity=line.quantity, price_at_time=product.price))
        order.total_price += product.price * line.quantity
    db.commit()
    db.refresh(order)
    log.info("order_created", order=order.id, total=order.total_price, lines=len(wanted.products))
    return order
